/** Pages that are shown when there is nothing to pay: plain, for the policy of the checkout allows no inline style. */

function plain(title: string, id: string, en: string): string {
  return `<!doctype html>
<html lang="id">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>${title}</title></head>
<body><main><h1>${title}</h1><p>${id}</p><p lang="en">${en}</p></main></body>
</html>
`;
}

export const MISSING_PAGE = plain(
  "Halaman pembayaran tidak ditemukan",
  "Periksa lagi tautannya, atau hubungi toko tempat Anda berbelanja.",
  "There is no such payment page. Check the link, or ask the shop where you ordered.",
);

/** The order is there, the page's files are not: a matter of the operator's. */
export const NOT_BUILT_PAGE = plain(
  "Halaman pembayaran belum siap",
  "Silakan coba lagi sebentar lagi.",
  "The payment page was not built on this hub. Operator: run <code>npm run build</code>.",
);
