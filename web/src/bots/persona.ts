import type { Assistant } from '@/api/resources';

export const echo = 'builtin/echo';
export const traits = ['formality', 'humor', 'empathy', 'verbosity', 'creativity'] as const;
export type Trait = (typeof traits)[number];

/** What the form of an assistant holds. */
export interface PersonaValues {
  system_prompt: string;
  welcome: string;
  quick_replies: string[];
  personality: Record<Trait, number>;
  handoff: { triggers: string[]; message: string };
  source: 'echo' | 'endpoint';
  model: string;
  api_key_secret: string;
  base_url_secret: string;
  temperature: number;
  max_tokens: number;
  memory_messages: number;
}

export const emptyPersona: PersonaValues = {
  system_prompt: '',
  welcome: '',
  quick_replies: [],
  personality: { formality: 50, humor: 20, empathy: 70, verbosity: 40, creativity: 40 },
  handoff: { triggers: [], message: '' },
  source: 'echo',
  model: '',
  api_key_secret: '',
  base_url_secret: '',
  temperature: 0.7,
  max_tokens: 1024,
  memory_messages: 20,
};

export function personaOf(a: Assistant | undefined): PersonaValues {
  if (!a) return emptyPersona;
  const endpoint = Boolean(a.model) && a.model !== echo;
  return {
    system_prompt: a.system_prompt ?? '',
    welcome: a.welcome ?? '',
    quick_replies: a.quick_replies ?? [],
    personality: Object.fromEntries(traits.map((t) => [t, a.personality?.[t] ?? 0])) as Record<Trait, number>,
    handoff: { triggers: a.handoff?.triggers ?? [], message: a.handoff?.message ?? '' },
    source: endpoint ? 'endpoint' : 'echo',
    model: endpoint ? (a.model ?? '') : '',
    api_key_secret: a.api_key_secret ?? '',
    base_url_secret: a.base_url_secret ?? '',
    temperature: a.temperature ?? 0,
    max_tokens: a.max_tokens || 1024,
    memory_messages: a.memory_messages ?? 0,
  };
}

/** The assistant with these values; its channels stay as they are. */
export function assistantOf(v: PersonaValues, before?: Assistant): Assistant {
  return {
    system_prompt: v.system_prompt,
    welcome: v.welcome.trim() || undefined,
    quick_replies: v.quick_replies,
    personality: v.personality,
    handoff: { triggers: v.handoff.triggers, message: v.handoff.message.trim() || undefined },
    model: v.source === 'echo' ? echo : v.model.trim(),
    api_key_secret: v.source === 'endpoint' ? v.api_key_secret || undefined : undefined,
    base_url_secret: v.source === 'endpoint' ? v.base_url_secret || undefined : undefined,
    temperature: v.temperature,
    max_tokens: v.max_tokens,
    memory_messages: v.memory_messages,
    telegram: before?.telegram,
    whatsapp: before?.whatsapp,
  };
}

/** Which of five words says a trait's value best. */
export const traitStep = (value: number): 0 | 1 | 2 | 3 | 4 => Math.min(4, Math.floor(value / 20)) as 0 | 1 | 2 | 3 | 4;

/** Ready-made starting points; the texts are in the catalogues. */
export const startingPoints = ['blank', 'support', 'sales', 'scheduling', 'faq'] as const;
export type StartingPoint = (typeof startingPoints)[number];

const dials: Record<StartingPoint, Record<Trait, number>> = {
  blank: emptyPersona.personality,
  support: { formality: 45, humor: 15, empathy: 90, verbosity: 40, creativity: 25 },
  sales: { formality: 35, humor: 40, empathy: 65, verbosity: 45, creativity: 60 },
  scheduling: { formality: 55, humor: 10, empathy: 60, verbosity: 20, creativity: 10 },
  faq: { formality: 60, humor: 5, empathy: 50, verbosity: 30, creativity: 10 },
};

export const dialsOf = (start: StartingPoint): Record<Trait, number> => dials[start];
