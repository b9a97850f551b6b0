import type { Database } from "better-sqlite3";

export interface Product {
  id: string;
  name: string;
  /** One line below the name, in both languages of the shop. */
  note: { en: string; id: string };
  /** Whole rupiah. */
  price: number;
  /** Which drawing the page shows. */
  art: string;
  stock: number;
}

/** What the shop starts with. */
const FIRST_STOCK: readonly Product[] = [
  {
    id: "kopi-gayo",
    name: "Kopi Gayo",
    note: { en: "Aceh · chocolate, pine", id: "Aceh · cokelat, pinus" },
    price: 44_000,
    art: "coffee-green",
    stock: 40,
  },
  {
    id: "kopi-toraja",
    name: "Kopi Toraja",
    note: { en: "Sulawesi · dark, spiced", id: "Sulawesi · pekat, rempah" },
    price: 52_000,
    art: "coffee-red",
    stock: 25,
  },
  {
    id: "kopi-kintamani",
    name: "Kopi Kintamani",
    note: { en: "Bali · orange, bright", id: "Bali · jeruk, segar" },
    price: 58_000,
    art: "coffee-amber",
    stock: 18,
  },
  { id: "gula-aren", name: "Gula Aren", note: { en: "Palm sugar, 250 g", id: "Gula aren, 250 g" }, price: 23_500, art: "sugar", stock: 60 },
  {
    id: "batik-kawung",
    name: "Selendang Kawung",
    note: { en: "Batik scarf, Yogyakarta", id: "Selendang batik, Yogyakarta" },
    price: 185_000,
    art: "kawung",
    stock: 12,
  },
  {
    id: "batik-mega",
    name: "Taplak Mega Mendung",
    note: { en: "Batik table runner, Cirebon", id: "Taplak batik, Cirebon" },
    price: 149_000,
    art: "mega",
    stock: 9,
  },
  { id: "batik-parang", name: "Tas Parang", note: { en: "Batik tote bag, Solo", id: "Tas batik, Solo" }, price: 97_000, art: "parang", stock: 15 },
  { id: "cangkir", name: "Cangkir Lurik", note: { en: "Enamel cup, 300 ml", id: "Cangkir enamel, 300 ml" }, price: 36_000, art: "cup", stock: 30 },
];

interface ProductRow {
  id: string;
  name: string;
  note_en: string;
  note_id: string;
  price: number;
  art: string;
  stock: number;
}

/** Fills an empty shelf; a shelf that was filled once is left as it is. */
export function fillShelf(db: Database): void {
  const insert = db.prepare(
    `INSERT INTO products (id, name, note_en, note_id, price, art, stock, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  db.transaction(() => {
    FIRST_STOCK.forEach((product, place) => {
      insert.run(product.id, product.name, product.note.en, product.note.id, product.price, product.art, product.stock, place);
    });
  })();
}

export function listProducts(db: Database): Product[] {
  const rows = db.prepare<[], ProductRow>("SELECT * FROM products ORDER BY place").all();
  return rows.map(({ note_en, note_id, id, name, price, art, stock }) => ({ id, name, note: { en: note_en, id: note_id }, price, art, stock }));
}

/**
 * Takes goods off the shelf. Whether there was enough of all of them: where another buyer was faster the count goes below zero,
 * because the money has come already; a person then buys in or refunds.
 */
export function takeStock(db: Database, items: readonly { product_id: string; quantity: number }[]): boolean {
  const take = db.prepare<[number, string], { stock: number }>("UPDATE products SET stock = stock - ? WHERE id = ? RETURNING stock");
  return items.map((item) => take.get(item.quantity, item.product_id)?.stock ?? -1).every((left) => left >= 0);
}
