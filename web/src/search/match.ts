const plain = (s: string) =>
  s
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase();

/** Matches texts that have every word of the query, in any order, without regard to case and accents. */
export function matcher(query: string): (text: string) => boolean {
  const words = plain(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return () => true;
  return (text) => {
    const folded = plain(text);
    return words.every((word) => folded.includes(word));
  };
}
