/** What differs between the two engines, in one place. Everything else is the same code on both. */
export interface EngineProfile {
  readonly name: "sqlite" | "postgres";
  /** Column types of the migrations. */
  readonly type: { readonly int: string; readonly bytes: string; readonly text: string; readonly serial: string };
  /** Appended to a claim, so that several hubs never take the same row. SQLite has one writer. */
  readonly skipLocked: string;
}

export const SQLITE: EngineProfile = {
  name: "sqlite",
  type: { int: "INTEGER", bytes: "BLOB", text: "TEXT", serial: "INTEGER PRIMARY KEY" },
  skipLocked: "",
};

export const POSTGRES: EngineProfile = {
  name: "postgres",
  type: { int: "BIGINT", bytes: "BYTEA", text: 'TEXT COLLATE "C"', serial: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY" },
  skipLocked: "FOR UPDATE SKIP LOCKED",
};
