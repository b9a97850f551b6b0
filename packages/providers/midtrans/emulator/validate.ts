import type { Context, Fields } from "./context.ts";
import { isObject, part, textOf } from "./context.ts";

const ORDER_ID_MAX = 50;
const AMOUNT_MAX = 99_999_999_999;
const STRICT_ORDER_ID = /^[A-Za-z0-9\-_~.]+$/;

export interface Item {
  readonly name: string;
  readonly price: number;
  readonly quantity: number;
}

export interface OrderFields {
  readonly order_id: string;
  readonly amount: number;
  readonly items: readonly Item[];
}

/** Limits of midtrans.md §2 as messages; none when all is well. */
export function orderProblems(context: Context, body: Fields, api: "core" | "snap"): string[] {
  const problems: string[] = [];
  const details = body.transaction_details;
  if (!isObject(details)) return ["transaction_details.order_id is required", "transaction_details.gross_amount is required"];
  problems.push(...orderIdProblems(context, details.order_id), ...amountProblems(details.gross_amount));
  problems.push(...itemProblems(body.item_details, Number(details.gross_amount)), ...customerProblems(part(body.customer_details), api));
  for (const name of ["custom_field1", "custom_field2", "custom_field3"]) problems.push(...lengthProblem(body, name, "", 255));
  return problems;
}

function orderIdProblems(context: Context, order_id: unknown): string[] {
  if (order_id === undefined || order_id === null || order_id === "") return ["transaction_details.order_id is required"];
  // A number is taken and told back as a string (recorded).
  if (typeof order_id !== "string" && typeof order_id !== "number") return ["transaction_details.order_id must be a string"];
  if ([...String(order_id)].length > ORDER_ID_MAX) return [`transaction_details.order_id must be 1 - ${ORDER_ID_MAX} characters`];
  if (context.switches.strict_order_id && !STRICT_ORDER_ID.test(String(order_id)))
    return ["transaction_details.order_id contains characters that are not allowed"];
  return [];
}

function amountProblems(amount: unknown): string[] {
  if (amount === undefined || amount === null || amount === "") return ["transaction_details.gross_amount is required"];
  const number = typeof amount === "number" ? amount : typeof amount === "string" && /^-?\d+(\.\d+)?$/.test(amount.trim()) ? Number(amount) : NaN;
  if (!Number.isFinite(number)) return ["transaction_details.gross_amount is not a number"];
  if (number < 0.01 || number > AMOUNT_MAX) return ["transaction_details.gross_amount must be between 0.01 - 99999999999.00"];
  return Number.isInteger(number) ? [] : ["transaction_details.gross_amount must not have decimals in IDR"];
}

export function lengthProblem(holder: Fields, name: string, path: string, max: number): string[] {
  const value = holder[name];
  if (value === undefined || value === null) return [];
  return [...textOf(value)].length > max ? [`${path}${name} must be at most ${max} characters`] : [];
}

function itemProblems(items: unknown, amount: number): string[] {
  if (items === undefined || items === null) return [];
  if (!Array.isArray(items)) return ["item_details must be an array"];
  const problems: string[] = [];
  let sum = 0;
  for (const [index, item] of (items as unknown[]).entries()) {
    const { price, quantity, name } = part(item);
    const at = `item_details[${index}].`;
    if (typeof price !== "number" || !Number.isInteger(price)) problems.push(`${at}price must be an integer`);
    if (typeof quantity !== "number" || !Number.isInteger(quantity) || quantity < 1) problems.push(`${at}quantity must be at least 1`);
    if (typeof name !== "string" || name === "") problems.push(`${at}name is required`);
    for (const field of ["id", "name", "brand", "category", "merchant_name"]) problems.push(...lengthProblem(part(item), field, at, 50));
    sum += Number(price) * Number(quantity);
  }
  if (problems.length === 0 && items.length > 0 && Number.isFinite(amount) && sum !== amount) {
    problems.push("transaction_details.gross_amount is not equal to the sum of item_details");
  }
  return problems;
}

const COUNTRY = /^[A-Z]{3}$/i;
const SNAP_COUNTRY_MAX = 10;

/** The Core API takes three letters as in ISO 3166, Snap up to ten characters. */
function countryProblem(address: Fields, path: string, api: "core" | "snap"): string[] {
  if (api === "snap") return lengthProblem(address, "country_code", path, SNAP_COUNTRY_MAX);
  const { country_code } = address;
  if (country_code === undefined || country_code === null || COUNTRY.test(textOf(country_code))) return [];
  return [`${path}country_code must be three letters as in ISO 3166-1 alpha-3`];
}

function customerProblems(customer: Fields, api: "core" | "snap"): string[] {
  const problems: string[] = [];
  for (const field of ["first_name", "last_name", "email", "phone"]) problems.push(...lengthProblem(customer, field, "customer_details.", 255));
  for (const kind of ["billing_address", "shipping_address"]) {
    const address = part(customer[kind]);
    for (const [field, max] of [
      ["first_name", 255],
      ["last_name", 255],
      ["email", 255],
      ["phone", 255],
      ["address", 255],
      ["city", 100],
      ["postal_code", 10],
    ] as const) {
      problems.push(...lengthProblem(address, field, `customer_details.${kind}.`, max));
    }
    problems.push(...countryProblem(address, `customer_details.${kind}.`, api));
  }
  return problems;
}

/** Of a body without problems. */
export function orderFields(body: Fields): OrderFields {
  const details = part(body.transaction_details);
  const items = Array.isArray(body.item_details) ? (body.item_details as unknown as Item[]) : [];
  return {
    order_id: textOf(details.order_id),
    amount: Number(details.gross_amount),
    items: items.map(({ name, price, quantity }) => ({ name, price, quantity })),
  };
}
