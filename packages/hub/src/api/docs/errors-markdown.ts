import { type ErrorCode, ERRORS } from "@lunas/domain";

/** `docs/errors.md`, made from the catalogue. A test keeps both equal. */
export function errorsMarkdown(): string {
  const sections = Object.entries(ERRORS).map(
    ([code, { status, retry, title, help }]) =>
      `## ${code as ErrorCode}\n\n**${status}** · ${title} · ${retry ? "may succeed when repeated" : "the same request fails again"}\n\n${help}\n`,
  );
  return `# Errors

<!-- Made from packages/domain/src/errors.ts by \`node packages/hub/src/api/dump-openapi.ts\`. -->

Every error of the API is an RFC 9457 problem (\`application/problem+json\`): \`type\`, \`title\`, \`status\`, \`code\`, where there is more to say
\`detail\` and \`errors\` (\`{field, message}\`), and always \`request_id\`, under which the operator finds it in the log. A program looks at \`code\`.
A hub shows this page at \`/docs/errors\`.

${sections.join("\n")}`;
}
