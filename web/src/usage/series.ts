import type { UsagePoint } from '@/api/resources';
import type { UsageRange } from './queries';

export type Metric = 'cpu' | 'memory' | 'disk' | 'network';

/** A row of a chart: the time, and the value of every series, null where nothing was reported. */
export type Row = { at: number } & Record<string, number | null>;

/** A metric of a point, in the unit of its chart: cores, bytes, bytes a second. */
export function amountOf(point: UsagePoint, metric: Metric): number {
  const seconds = Math.max(1, point.windows) * 60;
  switch (metric) {
    case 'cpu':
      return point.cpu_ms / 1000 / seconds;
    case 'memory':
      return point.memory_byte_seconds / seconds;
    case 'disk':
      return point.disk_byte_seconds / seconds;
    case 'network':
      return (point.bytes_in + point.bytes_out) / seconds;
  }
}

/**
 * Lays points out over the full range, one row a step. Points of the same series and step are added up. A step in
 * which no series has a point is a gap; a series without a point in another step counts as 0 there, since something
 * reported and it didn't.
 */
export function rowsOf(
  points: readonly UsagePoint[],
  range: UsageRange,
  stepMs: number,
  metric: Metric,
  seriesOf: (point: UsagePoint) => string,
): { rows: Row[]; series: string[] } {
  const series = [...new Set(points.map(seriesOf))];
  const rows: Row[] = [];
  for (let at = range.from; at < range.to; at += stepMs) {
    const row = { at } as Row;
    for (const name of series) row[name] = null;
    rows.push(row);
  }
  for (const point of points) {
    const row = rows[Math.floor((Date.parse(point.start) - range.from) / stepMs)];
    if (!row) continue;
    const name = seriesOf(point);
    row[name] = (row[name] ?? 0) + amountOf(point, metric);
  }
  for (const row of rows) {
    if (series.every((name) => row[name] === null)) continue;
    for (const name of series) row[name] ??= 0;
  }
  return { rows, series };
}
