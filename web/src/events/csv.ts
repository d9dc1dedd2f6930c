/** Rows as CSV that spreadsheet programs open: quoted where needed, and never read as formulas. */
export function csvOf(rows: readonly (readonly string[])[]): string {
  const cell = (text: string) => {
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** The days as instants: from the first moment of one to the last of the other, in the person's own time zone. */
export function rangeOfDays(from: string | undefined, to: string | undefined): { from?: string; to?: string } {
  const after = to ? new Date(`${to}T00:00:00`) : undefined;
  after?.setDate(after.getDate() + 1);
  return {
    from: from && new Date(`${from}T00:00:00`).toISOString(),
    to: after?.toISOString(),
  };
}
