import { ERRORS } from "@lunas/domain";
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from "fastify";
import { type OpenApiDocument, openApiDocument } from "../openapi.ts";
import { DOCS_POLICY, escape, htmlPage, prose, STYLE } from "./html.ts";
import { referencePage } from "./reference-page.ts";

const hidden = { schema: { hide: true } } as const;

/** The reference: the OpenAPI document, a page made of it, and the errors. They are made once, when first asked for. */
export function docsRoutes(root: FastifyInstance): FastifyPluginAsync {
  let document: OpenApiDocument | undefined;
  const read = (): OpenApiDocument => (document ??= openApiDocument(root));
  const html = (reply: FastifyReply, text: string): FastifyReply =>
    reply.headers({ "content-security-policy": DOCS_POLICY, "cache-control": "public, max-age=300" }).type("text/html; charset=utf-8").send(text);
  let reference: string | undefined;
  return async (app) => {
    app.get("/openapi.json", hidden, async (_request, reply) => reply.header("access-control-allow-origin", "*").send(read()));
    app.get("/docs", hidden, async (_request, reply) => html(reply, (reference ??= referencePage(read()))));
    app.get("/docs/errors", hidden, async (_request, reply) => html(reply, errorsPage()));
    app.get("/docs/style.css", hidden, async (_request, reply) =>
      reply.type("text/css; charset=utf-8").header("cache-control", "public, max-age=300").send(STYLE),
    );
  };
}

function errorsPage(): string {
  const codes = Object.entries(ERRORS);
  const menu = codes.map(([code]) => `<a href="#${code}">${code}</a>`).join("");
  const sections = codes.map(
    ([code, { status, retry, title, help }]) =>
      `<section id="${code}"><h3><code>${code}</code></h3><p><strong>${status}</strong> · ${escape(title)} · ${retry ? "may succeed when repeated" : "the same request fails again"}</p><p>${prose(help)}</p></section>`,
  );
  return htmlPage("Lunas errors", `<nav><a href="/docs">Reference</a><h2>Errors</h2>${menu}</nav><main><h1>Errors</h1>${sections.join("")}</main>`);
}
