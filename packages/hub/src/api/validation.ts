import { LunasError, type FieldProblem } from "@lunas/domain";
import type { FastifySchemaCompiler } from "fastify";
import { safeParse, type $ZodIssue, type $ZodType } from "zod/v4/core";

/** Checks requests by their zod schema and says of each wrong field where it is, what is wrong and what is allowed. */
export const validatorCompiler: FastifySchemaCompiler<$ZodType> =
  ({ schema, httpPart }) =>
  (input) => {
    // The framework calls an absent body null.
    const data: unknown = httpPart === "body" ? (input ?? undefined) : input;
    const result = safeParse(schema, data);
    if (!result.success && data === undefined)
      return { error: new LunasError("invalid_request", { detail: "The request needs a body: one JSON object." }) };
    if (result.success) return { value: result.data };
    return { error: new LunasError("invalid_request", { errors: result.error.issues.flatMap((issue) => fieldProblems(issue, schema)) }) };
  };

function fieldProblems(issue: $ZodIssue, schema: $ZodType): FieldProblem[] {
  if (issue.code === "unrecognized_keys") {
    const allowed = keysAt(schema, issue.path);
    const message = `is not a field here${allowed.length > 0 ? `; allowed are ${allowed.join(", ")}` : ""}`;
    return issue.keys.map((key) => ({ field: fieldPath([...issue.path, key]), message }));
  }
  const missing = issue.code === "invalid_type" && issue.input === undefined && issue.message.endsWith("received undefined");
  return [{ field: fieldPath(issue.path), message: missing ? `is required: ${issue.expected}` : issue.message }];
}

/** `items[0].price` */
export function fieldPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += text === "" ? String(step) : `.${String(step)}`;
  }
  return text.slice(0, 200);
}

/** As much of a schema's inside as is needed to list an object's keys. */
interface Inside {
  readonly shape?: Readonly<Record<string, $ZodType>>;
  readonly innerType?: $ZodType;
  readonly element?: $ZodType;
  readonly in?: $ZodType;
}

function keysAt(schema: $ZodType | undefined, path: readonly PropertyKey[]): string[] {
  if (!schema) return [];
  const { shape, innerType, element, in: input } = schema._zod.def as Inside;
  const wrapped = innerType ?? input;
  if (wrapped) return keysAt(wrapped, path);
  const [step, ...rest] = path;
  if (step === undefined) return shape ? Object.keys(shape) : [];
  return keysAt(typeof step === "number" ? element : shape?.[String(step)], rest);
}
