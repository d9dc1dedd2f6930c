const steps = [1, 2, 2.5, 5, 10];

/**
 * Round marks for an axis from 0 to at least most: 3 to 6 of them, in steps that are round in powers of base (10 for
 * numbers, 1024 for bytes).
 */
export function niceTicks(most: number, base: 10 | 1024): number[] {
  const ceiling = most > 0 ? most : 1;
  const rough = ceiling / 4;
  const scale = base ** Math.floor(Math.log(rough) / Math.log(base));
  // Within a power of 1024 there are three of 10.
  const decimal = 10 ** Math.max(0, Math.floor(Math.log10(rough / scale)));
  const wanted = rough / (scale * decimal);
  let step = (steps.find((s) => s >= wanted) ?? 10) * scale * decimal;
  if (base === 1024 && ceiling < 4) step = 1;
  const count = Math.max(1, Math.ceil(ceiling / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}
