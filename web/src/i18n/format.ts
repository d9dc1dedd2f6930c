import { useTranslation } from 'react-i18next';
import type { Size } from '@/api/resources';
import { currentLanguage, type Language } from '.';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Formats numbers, sizes and times in one language. */
export function formatter(language: Language) {
  const cache = new Map<string, Intl.NumberFormat>();
  const number = (value: number, options: Intl.NumberFormatOptions = {}) => {
    const key = JSON.stringify(options);
    let format = cache.get(key);
    if (!format) {
      format = new Intl.NumberFormat(language, options);
      cache.set(key, format);
    }
    return format.format(value);
  };
  const relativeFormat = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  const dateTimeFormat = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
  const dateFormat = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
  const timeFormat = new Intl.DateTimeFormat(language, { timeStyle: 'short' });
  const dayFormat = new Intl.DateTimeFormat(language, { day: '2-digit', month: 'short' });

  const scaled = (value: number, units: readonly string[], base: number) => {
    let index = 0;
    while (Math.abs(value) >= base && index < units.length - 1) {
      value /= base;
      index++;
    }
    return `${number(value, { maximumFractionDigits: value < 10 && index > 0 ? 1 : 0 })}\u00a0${units[index]}`;
  };

  return {
    number,
    percent: (ratio: number) => number(ratio, { style: 'percent', maximumFractionDigits: 0 }),
    /** Thousandths of a core, as cores: 500 is "0.5". */
    cores: (millis: number) => number(millis / 1000, { maximumFractionDigits: millis < 10 ? 3 : 2 }),
    /** Thousandths of a core with the unit: "0.5 vCPU". */
    cpu: (millis: number) => `${number(millis / 1000, { maximumFractionDigits: 2 })}\u00a0vCPU`,
    /** MiB as the largest unit that fits: 1536 is "1.5 GB" in the way people name memory sizes. */
    memory: (mib: number) => scaled(mib, ['MB', 'GB', 'TB'], 1024),
    disk: (gib: number) => scaled(gib, ['GB', 'TB'], 1024),
    bytes: (bytes: number) => scaled(bytes, ['B', 'KB', 'MB', 'GB', 'TB'], 1024),
    size: (size: Size) =>
      [
        `${number(size.cpu_millis / 1000, { maximumFractionDigits: 2 })}\u00a0vCPU`,
        scaled(size.memory_mib, ['MB', 'GB', 'TB'], 1024),
        scaled(size.disk_gib, ['GB', 'TB'], 1024),
      ].join(' · '),
    /** How long ago, or until: "5 min. ago". */
    relative: (time: string | number | Date, now = Date.now()) => {
      const delta = new Date(time).getTime() - now;
      const size = Math.abs(delta);
      if (size < 45_000) return relativeFormat.format(Math.round(delta / 1000 / 15) * 15, 'second');
      if (size < hour) return relativeFormat.format(Math.round(delta / minute), 'minute');
      if (size < day) return relativeFormat.format(Math.round(delta / hour), 'hour');
      if (size < 30 * day) return relativeFormat.format(Math.round(delta / day), 'day');
      return dateFormat.format(new Date(time));
    },
    dateTime: (time: string | number | Date) => dateTimeFormat.format(new Date(time)),
    date: (time: string | number | Date) => dateFormat.format(new Date(time)),
    time: (time: string | number | Date) => timeFormat.format(new Date(time)),
    dayMonth: (time: string | number | Date) => dayFormat.format(new Date(time)),
    list: (items: string[]) => new Intl.ListFormat(language, { type: 'conjunction' }).format(items),
    /** Orders names the way people of the language expect. */
    compare: new Intl.Collator(language, { numeric: true, sensitivity: 'base' }).compare,
  };
}

export type Formatter = ReturnType<typeof formatter>;

const formatters = new Map<Language, Formatter>();

/** The formatter of the language in use. */
export function useFormat(): Formatter {
  useTranslation(); // draws again when the language changes
  const language = currentLanguage();
  // The browser's formats are slow to make: one set for each language serves everybody.
  let shared = formatters.get(language);
  if (!shared) {
    shared = formatter(language);
    formatters.set(language, shared);
  }
  return shared;
}
