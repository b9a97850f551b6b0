import { stored } from "./stored.ts";

export interface Cart {
  /** Names this purchase to the backend; a changed cart is another purchase. */
  checkout_id: string;
  lines: { product_id: string; quantity: number }[];
}

// Not randomUUID: a browser has that only on https and localhost, and a phone in the same network comes by http.
const newId = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export const cart = stored<Cart>("lestari.cart", { checkout_id: newId(), lines: [] });
export const buyer = stored("lestari.buyer", { name: "", email: "", phone: "" });

export function setQuantity(product_id: string, quantity: number): void {
  const others = cart.get().lines.filter((line) => line.product_id !== product_id);
  const place = cart.get().lines.findIndex((line) => line.product_id === product_id);
  const line = { product_id, quantity };
  const lines =
    quantity <= 0 ? others : place < 0 ? [...others, line] : cart.get().lines.map((each) => (each.product_id === product_id ? line : each));
  cart.set({ checkout_id: newId(), lines });
}

export function addToCart(product_id: string): void {
  setQuantity(product_id, (cart.get().lines.find((line) => line.product_id === product_id)?.quantity ?? 0) + 1);
}

export function fillCart(lines: Cart["lines"]): void {
  cart.set({ checkout_id: newId(), lines });
}

/** The same cart and buyer as another purchase: after the first one cannot be paid any more, or the buyer has changed. */
export function renewCheckout(): void {
  cart.set({ ...cart.get(), checkout_id: newId() });
}

export { newId };
