import { storeConformance } from "./conformance.ts";
import { openStore } from "./index.ts";

storeConformance("SQLite", { open: () => openStore("sqlite::memory:") });
