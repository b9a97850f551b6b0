import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

// What a shop installs is the tarball, not this folder: it is built, packed and installed here into an empty project, offline.

const PACKAGE = resolve(import.meta.dirname, "..");
const ROOT = resolve(PACKAGE, "../..");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const OFFLINE = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];

let folder: string;
let project: string;
let packed: string[];

function run(command: string, args: readonly string[], cwd: string): string {
  try {
    // Conditions of this test run must not reach the program: it is to take what any shop's program takes.
    return execFileSync(command, args, { cwd, encoding: "utf8", shell: process.platform === "win32", env: { ...process.env, NODE_OPTIONS: "" } });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lunas-sdk-"));
  const copy = join(folder, "package");
  mkdirSync(copy);
  for (const part of ["package.json", "README.md", "src"]) cpSync(join(PACKAGE, part), join(copy, part), { recursive: true });
  run(process.execPath, [TSC, "-p", join(PACKAGE, "tsconfig.build.json"), "--outDir", join(copy, "dist")], PACKAGE);
  const [answer] = JSON.parse(run("npm", ["pack", "--json", ...OFFLINE], copy)) as [{ filename: string; files: { path: string }[] }];
  packed = answer.files.map((file) => file.path);

  project = join(folder, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "shop", private: true, type: "module" }));
  run("npm", ["install", join(copy, answer.filename), ...OFFLINE], project);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the tarball has the build and its sources, and no tests", () => {
  expect(packed).toEqual(
    expect.arrayContaining(["README.md", "dist/index.js", "dist/index.d.ts", "dist/react.js", "dist/react.d.ts", "src/index.ts"]),
  );
  expect(packed.filter((path) => path.includes(".test."))).toEqual([]);
});

test("installing it brings nothing else", () => {
  expect(readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith("."))).toEqual(["@lunas"]);
  expect(readdirSync(join(project, "node_modules/@lunas"))).toEqual(["sdk"]);
});

test("a program of an empty project verifies a webhook and calls a hub", () => {
  writeFileSync(
    join(project, "shop.js"),
    `import { createServer } from "node:http";
     import { Lunas, LunasError, signWebhook, verifyWebhook } from "@lunas/sdk";
     const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
     const body = JSON.stringify({ type: "order.paid", data: { order: { reference: "INV-1" } } });
     console.log(verifyWebhook(body, signWebhook(body, secret), secret).data.order.reference);
     const hub = createServer((req, res) => res.writeHead(req.method === "POST" ? 201 : 404).end(JSON.stringify({ id: "ord_1", code: "not_found", key: req.headers["idempotency-key"] })));
     await new Promise((done) => hub.listen(0, "127.0.0.1", done));
     const lunas = new Lunas({ apiKey: "sk_test", baseUrl: "http://127.0.0.1:" + hub.address().port });
     const order = await lunas.orders.create({ reference: "INV-1", amount: 44000 });
     console.log(order.id, order.key.length);
     console.log(await lunas.orders.get("x").catch((error) => error instanceof LunasError && error.code));
     hub.close();`,
  );
  expect(run(process.execPath, ["shop.js"], project)).toBe("INV-1\nord_1 36\nnot_found\n");
});

/** What a React shop has beside it. */
function installReact(): void {
  const modules = join(project, "node_modules");
  mkdirSync(join(modules, "@types"), { recursive: true });
  for (const name of ["@types/react", "csstype", "react", "react-dom", "scheduler"]) {
    if (!existsSync(join(modules, name))) symlinkSync(join(ROOT, "node_modules", name), join(modules, name), "junction");
  }
}

test("its button is rendered by a React project, with the shop's own attributes and words", () => {
  installReact();
  writeFileSync(
    join(project, "page.js"),
    `import { createElement } from "react";
     import { renderToStaticMarkup } from "react-dom/server";
     import { PayButton, useCheckout } from "@lunas/sdk/react";
     const createPayment = async () => ({ checkout_url: "https://pay.example/pay/t" });
     console.log(renderToStaticMarkup(createElement(PayButton, { createPayment, className: "primary", "data-testid": "pay" }, "Pay Rp 44.000")));
     const Own = () => { const checkout = useCheckout({ createPayment }); return createElement("button", { disabled: checkout.busy }, checkout.status); };
     console.log(renderToStaticMarkup(createElement(Own)));`,
  );
  expect(run(process.execPath, ["page.js"], project)).toBe(
    '<button class="primary" data-testid="pay" type="button" aria-busy="false" data-status="idle">Pay Rp 44.000</button>\n<button>idle</button>\n',
  );
});

test("its types hold in a strict project, for Node and for a bundler with React", () => {
  installReact();
  writeFileSync(
    join(project, "server.ts"),
    `import { Lunas, verifyWebhook, type LunasEvent, type Order } from "@lunas/sdk";
     const lunas = new Lunas({ apiKey: "sk_test", baseUrl: "http://localhost:8080", fetch });
     export async function paid(): Promise<string[]> {
       const references: string[] = [];
       for await (const order of lunas.orders.list({ payment_status: "paid" })) references.push(order.reference);
       const found: Order | undefined = await lunas.orders.findByReference("INV-1");
       const payment = await lunas.orders.createPayment(found?.id ?? "", { method: "gopay" });
       for (const action of payment.actions) if (action.type === "va_number") references.push(action.number);
       return references;
     }
     export async function hook(request: Request): Promise<number> {
       const event: LunasEvent = verifyWebhook(await request.text(), request.headers, ["whsec_a", "whsec_b"]);
       if (event.type === "payment.paid") return event.data.payment.amount_paid;
       if (event.type === "order.paid") return event.data.order.amount;
       // @ts-expect-error a refund's event has no amount of its own
       if (event.type === "refund.succeeded") return event.data.amount;
       return event.sequence;
     }
     // @ts-expect-error an order needs an amount
     void lunas.orders.create({ reference: "INV-1" });`,
  );
  writeFileSync(
    join(project, "cart.ts"),
    `import { createElement } from "react";
     import { PayButton, useCheckout } from "@lunas/sdk/react";
     const createPayment = async () => ({ order_id: "1", redirect_url: "https://pay.example/pay/t" });
     export const Cart = () => createElement(PayButton<{ order_id: string; redirect_url: string }>, { createPayment, className: "primary", onStep: (_step, target) => console.log(target.order_id) }, "Pay");
     export const Other = () => createElement("button", { onClick: useCheckout({ createPayment }).start });`,
  );
  const compilerOptions = { strict: true, noEmit: true, target: "es2022", lib: ["es2022", "dom", "dom.iterable", "esnext.asynciterable"], types: [] };
  for (const [module, moduleResolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ]) {
    const config = join(project, `tsconfig.${moduleResolution}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions: { ...compilerOptions, module, moduleResolution }, files: ["server.ts", "cart.ts"] }));
    expect(run(process.execPath, [TSC, "-p", config], project)).toBe("");
  }
});
