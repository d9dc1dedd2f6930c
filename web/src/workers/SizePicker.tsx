import { Slider, Text, UnstyledButton } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Size, TenantTotals } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { Meter } from '@/ui/Meter';
import classes from './SizePicker.module.css';
import { type Dimension, dimensions, exceeds, presets, remaining, sameSize, stopsFor } from './size';

interface Props {
  value: Size;
  onChange: (size: Size) => void;
  plan: TenantTotals;
  /** The size that the new one replaces, when a Worker is resized. */
  replaced?: Size;
}

/** Chooses a size by presets and sliders, with what the plan has left. */
export function SizePicker({ value, onChange, plan, replaced }: Props) {
  const { t } = useTranslation('workers');
  const format = useFormat();
  const left = remaining(plan.limits, plan.totals, replaced);
  const over = exceeds(value, left);
  const say: Record<Dimension, (n: number) => string> = {
    cpu_millis: format.cpu,
    memory_mib: format.memory,
    disk_gib: format.disk,
  };

  return (
    <div className={classes.root}>
      <div className={classes.presets} role="radiogroup" aria-label={t('size.presets')}>
        {presets.map(({ id, size }) => {
          const lacking = exceeds(size, left);
          const chosen = sameSize(size, value);
          return (
            <UnstyledButton
              key={id}
              className={classes.preset}
              role="radio"
              aria-checked={chosen}
              data-chosen={chosen || undefined}
              disabled={lacking.length > 0}
              onClick={() => onChange(size)}
            >
              <span className={classes.presetName}>{t(`size.preset.${id}`)}</span>
              <span className={classes.presetFor}>{t(`size.for.${id}`)}</span>
              <span className={`${classes.presetSize} numeric`}>
                {lacking.length > 0 ? t('size.tooMuch') : format.size(size)}
              </span>
            </UnstyledButton>
          );
        })}
      </div>
      {dimensions.map((d) => {
        const stops = stopsFor(d, value[d], Math.max(left[d], value[d]));
        const at = stops.indexOf(value[d]);
        const used = plan.totals[d] - (replaced?.[d] ?? 0);
        const lacks = over.includes(d);
        return (
          <div key={d} className={classes.dimension}>
            <div className={classes.label}>
              <span id={`size-${d}`}>{t(`dimension.${d}`)}</span>
              <strong className="numeric">{say[d](value[d])}</strong>
            </div>
            <Slider
              size="sm"
              thumbSize={18}
              label={null}
              min={0}
              max={Math.max(1, stops.length - 1)}
              value={at}
              onChange={(index) => onChange({ ...value, [d]: stops[index] ?? value[d] })}
              thumbProps={{ 'aria-labelledby': `size-${d}`, 'aria-valuetext': say[d](value[d]) }}
            />
            <Text size="xs" c="dimmed" className={classes.meaning}>
              {t(`meaning.${d}`)}
            </Text>
            <Meter
              size="sm"
              name={t(`dimension.${d}`)}
              label={t('size.planUse', { plan: plan.plan })}
              value={used}
              added={value[d]}
              limit={plan.limits[d]}
              text={
                lacks
                  ? t('size.over', { amount: say[d](value[d] - left[d]) })
                  : t('size.leftAfter', { amount: say[d](left[d] - value[d]) })
              }
            />
          </div>
        );
      })}
    </div>
  );
}
