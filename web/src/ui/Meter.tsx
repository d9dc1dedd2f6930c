import type { ReactNode } from 'react';
import { nearLimit } from './limits';
import classes from './Meter.module.css';

interface Props {
  label: ReactNode;
  /** What the bar says to a screen reader. */
  name: string;
  value: number;
  limit: number;
  text: ReactNode;
  /** Part of the limit that is about to be added, drawn after the value. */
  added?: number;
  size?: 'sm' | 'md';
}

/** How much of a limit is used. */
export function Meter({ label, name, value, limit, text, added = 0, size = 'md' }: Props) {
  const share = limit > 0 ? Math.min(1, value / limit) : value > 0 ? 1 : 0;
  const more = limit > 0 ? Math.max(0, Math.min(1 - share, added / limit)) : 0;
  const total = limit > 0 ? (value + Math.max(0, added)) / limit : share;
  const tone = total > 1 ? 'bad' : total >= nearLimit ? 'warn' : 'normal';
  return (
    <div className={classes.root} data-size={size}>
      <div className={classes.words}>
        <span className={classes.label}>{label}</span>
        <span className={`${classes.value} numeric`}>{text}</span>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a meter element can't be drawn with two parts */}
      <div
        className={classes.bar}
        data-tone={tone}
        role="meter"
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={Math.max(limit, value)}
        aria-valuenow={value}
      >
        <span className={classes.fill} style={{ width: `${share * 100}%` }} />
        {more > 0 && <span className={classes.more} style={{ width: `${more * 100}%` }} />}
      </div>
    </div>
  );
}
