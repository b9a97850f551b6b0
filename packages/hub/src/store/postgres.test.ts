import { freshDatabase } from "../../../../tests/harness/postgres.ts";
import { storeConformance } from "./conformance.ts";
import { openStore } from "./index.ts";

const url = freshDatabase();

storeConformance("PostgreSQL", { open: async () => openStore(await url) });
