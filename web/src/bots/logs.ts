import type { LogLine } from '@/api/resources';

export interface Line extends LogLine {
  id: number;
}

/** The last lines of a log, each once, however often a broken stream begins anew. */
export class LogBuffer {
  lines: readonly Line[] = [];
  private next = 0;

  constructor(private readonly most: number) {}

  /** Adds lines in their order; those at or before the last one that is there already are left out. */
  add(more: readonly LogLine[]): void {
    const last = this.lines.at(-1);
    const seen = last && this.lines.filter((l) => l.at === last.at).map(keyOf);
    const fresh = more.filter((l) => !last || l.at > last.at || (l.at === last.at && !seen?.includes(keyOf(l))));
    if (fresh.length === 0) return;
    this.lines = [...this.lines, ...fresh.map((l) => ({ ...l, id: this.next++ }))].slice(-this.most);
  }

  /** From where a new stream has to go on; undefined while there is nothing. */
  get since(): string | undefined {
    return this.lines.at(-1)?.at;
  }

  clear(): void {
    this.lines = [];
  }
}

const keyOf = (line: LogLine) => `${line.stream} ${line.text}`;

/** Lines as a text file. */
export const logText = (lines: readonly LogLine[]): string =>
  lines.map((l) => `${l.at} ${l.stream.padEnd(6)} ${l.text}\n`).join('');

/** Reads one JSON document a line; what can't be read is left out. */
export function parseLines(text: string): LogLine[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line ? [JSON.parse(line) as LogLine] : [];
    } catch {
      return [];
    }
  });
}

/** Parts a text at every occurrence of the query, without regard to case; odd parts are the occurrences. */
export function splitAt(text: string, query: string): string[] {
  if (!query) return [text];
  const parts: string[] = [];
  const lower = text.toLowerCase();
  const sought = query.toLowerCase();
  if (lower.length !== text.length) return [text];
  let from = 0;
  for (let at = lower.indexOf(sought); at >= 0; at = lower.indexOf(sought, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + sought.length));
    from = at + sought.length;
  }
  parts.push(text.slice(from));
  return parts;
}
