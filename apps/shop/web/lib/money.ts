const RUPIAH = new Intl.NumberFormat("id-ID", { maximumFractionDigits: 0 });

/** `Rp 44.000`, as it is written in Indonesia, in either language of the shop. */
export const rupiah = (amount: number): string => `Rp ${RUPIAH.format(amount)}`;
