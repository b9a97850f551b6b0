/** The result of a command, for people and programs. */
export const print = (result: unknown): void => void process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
