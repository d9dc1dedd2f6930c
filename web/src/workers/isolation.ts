import type { Capabilities, Isolation, Limits } from '@/api/resources';

export const levels = ['container', 'sandbox', 'vm'] as const;

export type Refusal = { by: 'platform'; reason: string } | { by: 'plan' };

export interface Choice {
  level: Isolation;
  /** What gives it, such as "runc 1.1.5". */
  gives?: string;
  refused?: Refusal;
}

/** The isolation levels to choose from, each with what gives it or why it can't be chosen. */
export function isolationChoices(capabilities: Capabilities, limits: Limits): Choice[] {
  const choices: Choice[] = levels.map((level) => {
    const gives = capabilities.isolation[level];
    if (gives === undefined) {
      return { level, refused: { by: 'platform', reason: capabilities.missing?.[level] ?? '' } };
    }
    if (!limits.isolation.includes(level)) return { level, gives, refused: { by: 'plan' } };
    return { level, gives };
  });
  // The development engine gives none at all, and says so; where a real one runs, "none" can't be chosen.
  if (capabilities.isolation.none !== undefined) choices.unshift({ level: 'none', gives: capabilities.isolation.none });
  return choices;
}

export const firstPossible = (choices: readonly Choice[]): Isolation =>
  choices.find((c) => !c.refused)?.level ?? 'container';
