import type { ComponentProps, MouseEvent, ReactElement } from "react";
import { go } from "../lib/router.ts";

/** A link inside the shop: no reload, but an ordinary link to everything that opens links in its own way. */
export function Link({ href, children, ...rest }: ComponentProps<"a"> & { href: string }): ReactElement {
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(href);
  };
  return (
    <a {...rest} href={href} onClick={follow}>
      {children}
    </a>
  );
}
