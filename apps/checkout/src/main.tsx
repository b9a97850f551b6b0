import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { basePath } from "./api.ts";
import { Safety } from "./parts/Safety.tsx";
import "./styles/tokens.css";
import "./styles/layout.css";
import "./styles/parts.css";
import "./styles/pay.css";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <Safety>
      <App base={basePath(location.pathname)} />
    </Safety>,
  );
}
