import { Component, type ReactNode } from "react";
import { preferredLanguage, rememberedLanguage } from "../language.ts";
import { TEXTS } from "../texts/index.ts";

/** A mistake of ours must not leave a buyer in front of an empty page. */
export class Safety extends Component<{ readonly children: ReactNode }, { readonly crashed: boolean }> {
  override state = { crashed: false };

  static getDerivedStateFromError(): { crashed: boolean } {
    return { crashed: true };
  }

  override render(): ReactNode {
    if (!this.state.crashed) return this.props.children;
    const { page } = TEXTS[rememberedLanguage() ?? preferredLanguage(navigator.languages)];
    return (
      <main className="page page-single">
        <div className="card stack" role="alert">
          <p>{page.crashed}</p>
          <button type="button" className="button button-primary" onClick={() => location.reload()}>
            {page.reload}
          </button>
        </div>
      </main>
    );
  }
}
