import type { ReactNode } from "react";

export type Heading = React.RefObject<HTMLHeadingElement | null> | null;

/** The heading of a step; the focus is moved to it when the step is reached. */
export function Title({ heading, children }: { readonly heading: Heading; readonly children: ReactNode }) {
  return (
    <h1 ref={heading} tabIndex={-1} className="title">
      {children}
    </h1>
  );
}
