import { createContext, use } from "react";
import type { Language } from "../language.ts";
import { en, type Texts } from "./en.ts";
import { id } from "./id.ts";

export type { Texts };

export const TEXTS: Readonly<Record<Language, Texts>> = { en, id };

export interface Speech {
  readonly language: Language;
  readonly texts: Texts;
}

export const SpeechContext = createContext<Speech>({ language: "id", texts: id });

/** The language of the page and its words. */
export function useSpeech(): Speech {
  return use(SpeechContext);
}
