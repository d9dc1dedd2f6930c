import '@mantine/charts/styles.css';

import { AreaChart } from '@mantine/charts';
import { Card, Text, Title } from '@mantine/core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot, Size, UsagePoint } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { type Span, spanOf, type UsageRange } from './queries';
import { type Metric, rowsOf } from './series';
import { niceTicks } from './ticks';
import classes from './UsageCharts.module.css';

const metrics: Metric[] = ['cpu', 'memory', 'disk', 'network'];
// Enough colours that neighbours differ, chosen so that both themes keep them apart from the surface.
const colors = [
  'cobalt.5',
  'teal.6',
  'orange.6',
  'grape.5',
  'cyan.6',
  'lime.7',
  'pink.5',
  'yellow.7',
  'indigo.4',
  'red.5',
];
const mostSeries = 9;

interface Usage {
  range: UsageRange;
  points: UsagePoint[];
}

interface Props {
  span: Span;
  whole: Usage;
  /** The same by bot; drawn stacked in place of the whole. */
  parts?: Usage;
  size?: Size;
  bots: Bot[];
  only?: Metric[];
  height?: number;
}

/** One chart for each metric, with the limit of the Worker where there is one. */
export default function UsageCharts({ span, whole, parts, size, bots, only = metrics, height = 180 }: Props) {
  const { t } = useTranslation('usage');
  const format = useFormat();
  const stepMs = spanOf[span].stepMs;
  const names = useMemo(() => new Map(bots.map((b) => [b.id, b.name])), [bots]);

  const units: Record<Metric, (v: number) => string> = {
    cpu: (v) => format.number(v, { maximumFractionDigits: v < 0.1 ? 3 : 2 }),
    memory: format.bytes,
    disk: format.bytes,
    network: (v) => `${format.bytes(v)}/s`,
  };
  const limits: Record<Metric, number | undefined> = {
    cpu: size && size.cpu_millis / 1000,
    memory: size && size.memory_mib * 2 ** 20,
    disk: size && size.disk_gib * 2 ** 30,
    network: undefined,
  };
  const tick = (at: number) => (span === 'month' ? format.dayMonth(at) : format.time(at));
  const others = t('others');
  const total = t('total');

  return (
    <div className={classes.grid} data-single={only.length === 1 || undefined}>
      {only.map((metric) => {
        const { points, range } = parts ?? whole;
        const shown = parts ? biggest(points, mostSeries) : undefined;
        const { rows, series } = rowsOf(points, range, stepMs, metric, (p) =>
          shown ? (p.bot_id && shown.has(p.bot_id) ? (names.get(p.bot_id) ?? t('goneBot')) : others) : total,
        );
        const limit = limits[metric];
        const peak = Math.max(0, ...rows.map((row) => series.reduce((sum, s) => sum + (row[s] ?? 0), 0)));
        // A limit that is far above what is used would flatten the curve; it is then said in words alone.
        const drawn = limit !== undefined && peak > limit * 0.2 ? limit : undefined;
        // Thousandths of a core are the least that is told apart in words.
        const ticks =
          metric === 'cpu'
            ? niceTicks(Math.max(drawn ?? 0, peak, 0.004), 10)
            : niceTicks(Math.max(drawn ?? 0, peak), 1024);
        const known = rows.filter((row) => series.some((s) => row[s] !== null));
        const last = known.at(-1);
        const present = last ? series.reduce((sum, s) => sum + (last[s] ?? 0), 0) : 0;
        return (
          <Card key={metric} component="section" className={classes.chart} aria-label={t(`metric.${metric}`)}>
            <div className={classes.head}>
              <Title order={2} size="h3">
                {t(`metric.${metric}`)}
              </Title>
              <Text size="sm" className="numeric">
                <strong>{units[metric](present)}</strong>
                {limit !== undefined && (
                  <span className={classes.limit}> {t('ofLimit', { limit: units[metric](limit) })}</span>
                )}
              </Text>
            </div>
            <AreaChart
              h={height}
              data={rows}
              dataKey="at"
              type={parts ? 'stacked' : 'default'}
              curveType="monotone"
              connectNulls={false}
              withDots={known.length === 1} // a single point makes no line
              withGradient={!parts}
              withLegend={parts !== undefined && series.length > 1}
              strokeWidth={1.75}
              fillOpacity={parts ? 0.55 : 0.18}
              gridAxis="x"
              tickLine="none"
              valueFormatter={units[metric]}
              series={series.map((name, i) => ({ name, color: colors[i % colors.length] ?? 'cobalt.5' }))}
              referenceLines={
                drawn === undefined
                  ? []
                  : [{ y: drawn, color: 'red.6', label: t('limit'), labelPosition: 'insideTopRight' }]
              }
              xAxisProps={{ tickFormatter: tick, minTickGap: 40, tickMargin: 8 }}
              yAxisProps={{ width: 66, ticks, domain: [0, ticks.at(-1) ?? 1], interval: 0 }}
              tooltipProps={{
                labelFormatter: (at) =>
                  typeof at !== 'number' ? '' : span === 'month' ? format.date(at) : format.dateTime(at),
              }}
              areaChartProps={{ accessibilityLayer: true, margin: { left: 0, right: 8, top: 8, bottom: 4 } }}
            />
          </Card>
        );
      })}
    </div>
  );
}

/** The bots that used most, by CPU time and memory alike. */
function biggest(points: readonly UsagePoint[], most: number): Set<string> {
  const use = new Map<string, number>();
  for (const p of points) {
    if (p.bot_id) use.set(p.bot_id, (use.get(p.bot_id) ?? 0) + p.cpu_ms + p.memory_byte_seconds / 2 ** 20 / 60);
  }
  return new Set(
    [...use]
      .sort((a, b) => b[1] - a[1])
      .slice(0, most)
      .map(([id]) => id),
  );
}
