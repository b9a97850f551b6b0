// Writes what is made from the code: `packages/hub/openapi.json` and `docs/errors.md`. Tests fail when they are not up to date.
import { writeFileSync } from "node:fs";
import { makeTestHub } from "../testing/make-hub.ts";
import { errorsMarkdown } from "./docs/errors-markdown.ts";
import { GENERATED, openApiText } from "./generated.ts";

const made = await makeTestHub();
writeFileSync(GENERATED.openapi, await openApiText(made.hub));
writeFileSync(GENERATED.errors, errorsMarkdown());
await made.close();
