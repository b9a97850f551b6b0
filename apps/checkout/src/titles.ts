import type { Texts } from "./texts/index.ts";
import type { View } from "./view.ts";

/** What the tab is called: where the payment stands, how much, to whom. */
export function titleOf(view: View, texts: Texts, amount: string | undefined, shop_name: string | undefined): string {
  return [step(view, texts), amount, shop_name].filter((part) => part !== undefined).join(" · ");
}

function step(view: View, { page, choose, pay, end }: Texts): string {
  switch (view) {
    case "loading":
      return page.loading;
    case "choose":
      return choose.title;
    case "pay":
      return pay.waiting;
    case "preparing":
      return pay.preparing;
    case "authorized":
      return pay.authorized;
    default:
      return end[view];
  }
}
