// Writes what is made from the code: `packages/hub/openapi.json` and `docs/errors.md`. Tests fail when they are not up to date.
import { writeFileSync } from "node:fs";
import { errorsMarkdown } from "./docs/errors-markdown.ts";
import { GENERATED, openApiText } from "./generated.ts";

writeFileSync(GENERATED.openapi, await openApiText());
writeFileSync(GENERATED.errors, errorsMarkdown());
