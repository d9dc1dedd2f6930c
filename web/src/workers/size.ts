import type { Limits, Size, Totals } from '@/api/resources';

export interface Preset {
  id: 'small' | 'standard' | 'large' | 'huge';
  size: Size;
}

export const presets: Preset[] = [
  { id: 'small', size: { cpu_millis: 250, memory_mib: 256, disk_gib: 1 } },
  { id: 'standard', size: { cpu_millis: 500, memory_mib: 512, disk_gib: 2 } },
  { id: 'large', size: { cpu_millis: 1000, memory_mib: 1024, disk_gib: 5 } },
  { id: 'huge', size: { cpu_millis: 2000, memory_mib: 4096, disk_gib: 20 } },
];

/** What sliders stop at; finer at the low end, where it matters. */
export const stops = {
  cpu_millis: [100, 250, 500, 750, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12000, 16000, 24000, 32000, 48000, 64000],
  memory_mib: [64, 128, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 65536, 131072, 262144],
  disk_gib: [1, 2, 3, 5, 10, 15, 20, 30, 50, 75, 100, 200, 500, 1000, 2048],
} as const; // biome-ignore format: one line each

export type Dimension = keyof typeof stops;
export const dimensions = ['cpu_millis', 'memory_mib', 'disk_gib'] as const satisfies readonly Dimension[];

export const sameSize = (a: Size, b: Size): boolean => dimensions.every((d) => a[d] === b[d]);

/** What the plan has left, with the size that is about to be replaced given back. */
export function remaining(limits: Limits, totals: Totals, replaced?: Size): Size {
  return {
    cpu_millis: limits.cpu_millis - totals.cpu_millis + (replaced?.cpu_millis ?? 0),
    memory_mib: limits.memory_mib - totals.memory_mib + (replaced?.memory_mib ?? 0),
    disk_gib: limits.disk_gib - totals.disk_gib + (replaced?.disk_gib ?? 0),
  };
}

/** Which dimensions of a size are more than what is left. */
export const exceeds = (size: Size, left: Size): Dimension[] => dimensions.filter((d) => size[d] > left[d]);

/** The largest preset that fits, at most the standard one; the smallest when none fits. */
export function suggested(left: Size): Size {
  const fitting = presets.slice(0, 2).filter((p) => exceeds(p.size, left).length === 0);
  return (fitting.at(-1) ?? (presets[0] as Preset)).size;
}

/** The stops of a slider, with the present value among them and none beyond what is possible at all. */
export function stopsFor(dimension: Dimension, value: number, most: number): number[] {
  const all = new Set<number>(stops[dimension].filter((stop) => stop <= most));
  all.add(value);
  return [...all].sort((a, b) => a - b);
}
