import { Button, Card, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { usePermissions } from '@/tenants/queries';
import { ConflictDialog } from '@/ui/ConflictDialog';
import { InlineError } from '@/ui/errors';
import type { PanelProps } from './BotPage';
import { PersonaFields } from './PersonaFields';
import classes from './PersonaPanel.module.css';
import { assistantOf, type PersonaValues, personaOf, traits } from './persona';
import { TestChat } from './TestChat';
import { useBotForm } from './useBotForm';

const valuesOf = (bot: Bot): PersonaValues => personaOf(bot.assistant);

/** Who the assistant is, with a chat beside it that talks to what was saved last. */
export default function PersonaPanel({ bot }: PanelProps) {
  const { t } = useTranslation(['bots', 'ui', 'workers']);
  const format = useFormat();
  const may = usePermissions();
  const { form, dirty, saving, error, save, submit, conflict } = useBotForm<PersonaValues>({
    bot,
    valuesOf,
    changeOf: (values, over) => ({ assistant: assistantOf(values, over.assistant) }),
    validate: { model: (v, all) => (all.source === 'endpoint' && v.trim() === '' ? t('persona.modelMissing') : null) },
    prefix: 'assistant.',
  });
  const list = (items: string[]) => (items.length > 0 ? format.list(items) : '–');
  return (
    <form noValidate onSubmit={submit} className={classes.layout}>
      <div>
        <PersonaFields form={form} worker={bot.worker_id} disabled={!may.changeBots} />
        {may.changeBots && (
          <div className={classes.bar} data-dirty={dirty || undefined}>
            {error ? (
              <div className={classes.barText}>
                <InlineError error={error} />
              </div>
            ) : (
              <Text size="sm" c="dimmed" className={classes.barText}>
                {dirty ? t('persona.unsaved') : t('persona.allSaved')}
              </Text>
            )}
            <Button variant="default" disabled={!dirty} onClick={() => form.reset()}>
              {t('workers:settings.discard')}
            </Button>
            <Button type="submit" disabled={!dirty} loading={saving}>
              {t('ui:save')}
            </Button>
          </div>
        )}
      </div>
      {may.changeBots && (
        <aside className={classes.preview} aria-label={t('preview.title')}>
          <Card>
            <Title order={2} mb={4}>
              {t('preview.title')}
            </Title>
            <TestChat
              bot={bot}
              name={bot.name}
              welcome={form.values.welcome}
              quickReplies={form.values.quick_replies}
              note={dirty ? t('preview.saves') : t('chat.text')}
              prepare={dirty ? () => save() : undefined}
            />
          </Card>
        </aside>
      )}
      {conflict && (
        <ConflictDialog
          busy={saving}
          differences={differences(valuesOf(conflict.theirs), form.getValues())}
          onTheirs={conflict.keepTheirs}
          onMine={conflict.keepMine}
          onClose={conflict.close}
        />
      )}
    </form>
  );

  function differences(theirs: PersonaValues, mine: PersonaValues) {
    const model = (v: PersonaValues) => (v.source === 'echo' ? t('persona.echo') : v.model);
    return [
      { label: t('persona.prompt'), theirs: theirs.system_prompt, mine: mine.system_prompt },
      { label: t('persona.welcome'), theirs: theirs.welcome, mine: mine.welcome },
      { label: t('persona.quick'), theirs: list(theirs.quick_replies), mine: list(mine.quick_replies) },
      ...traits.map((trait) => ({
        label: t(`trait.${trait}.name`),
        theirs: format.number(theirs.personality[trait]),
        mine: format.number(mine.personality[trait]),
      })),
      { label: t('persona.triggers'), theirs: list(theirs.handoff.triggers), mine: list(mine.handoff.triggers) },
      { label: t('persona.handoffMessage'), theirs: theirs.handoff.message, mine: mine.handoff.message },
      { label: t('persona.model'), theirs: model(theirs), mine: model(mine) },
      { label: t('persona.key'), theirs: theirs.api_key_secret || '–', mine: mine.api_key_secret || '–' },
      { label: t('persona.url'), theirs: theirs.base_url_secret || '–', mine: mine.base_url_secret || '–' },
      {
        label: t('persona.temperature'),
        theirs: format.number(theirs.temperature),
        mine: format.number(mine.temperature),
      },
      { label: t('persona.tokens'), theirs: format.number(theirs.max_tokens), mine: format.number(mine.max_tokens) },
      {
        label: t('persona.memory'),
        theirs: format.number(theirs.memory_messages),
        mine: format.number(mine.memory_messages),
      },
    ].filter((d) => d.theirs !== d.mine);
  }
}
