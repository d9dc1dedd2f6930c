import { describe, expect, it } from 'vitest';
import type { Assistant } from '@/api/resources';
import { assistantOf, emptyPersona, personaOf, traitStep } from './persona';

const full: Assistant = {
  system_prompt: 'Você ajuda.',
  model: 'gpt-4o-mini',
  api_key_secret: 'KEY',
  base_url_secret: 'URL',
  temperature: 0.4,
  max_tokens: 500,
  memory_messages: 12,
  personality: { formality: 10, humor: 20, empathy: 30, verbosity: 40, creativity: 50 },
  welcome: 'Olá!',
  quick_replies: ['Preços'],
  handoff: { triggers: ['atendente'], message: 'Já chamo alguém.' },
  telegram: { token_secret: 'T', webhook_secret_secret: 'W' },
};

describe('assistantOf', () => {
  it('gives back what personaOf read, channels included', () =>
    expect(assistantOf(personaOf(full), full)).toEqual({ ...full, whatsapp: undefined }));
  it('forgets the endpoint of an assistant that repeats', () => {
    const made = assistantOf({ ...personaOf(full), source: 'echo' });
    expect(made.model).toBe('builtin/echo');
    expect(made.api_key_secret).toBeUndefined();
    expect(made.base_url_secret).toBeUndefined();
  });
});

it('begins with a persona that repeats', () => expect(assistantOf(emptyPersona).model).toBe('builtin/echo'));

it('says a trait in five steps', () => expect([0, 19, 20, 55, 80, 100].map(traitStep)).toEqual([0, 0, 1, 2, 4, 4]));
