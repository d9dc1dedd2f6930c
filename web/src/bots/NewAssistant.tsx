import { Button, Card, Chip, Group, Radio, Stack, Text, TextInput, Title } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { useTenantSlug } from '@/tenants/queries';
import { confirm } from '@/ui/confirm';
import { InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { useLeaveGuard } from '@/ui/LeaveGuard';
import { accesses } from './BotSettings';
import classes from './NewBotPage.module.css';
import { PersonaFields, Section } from './PersonaFields';
import { assistantOf, dialsOf, emptyPersona, type PersonaValues, type StartingPoint, startingPoints } from './persona';
import { TestChat } from './TestChat';
import { useDraft } from './useDraft';
import { WorkerField } from './WorkerField';

interface Basics {
  name: string;
  worker: string;
  access: Bot['access'];
}

/** Guides through the creation of an assistant, with a chat beside it that talks to what is on the page. */
export function NewAssistant({ worker }: { worker: string | undefined }) {
  const { t } = useTranslation(['bots', 'ui']);
  const tenant = useTenantSlug();
  const navigate = useNavigate();
  const { draft, save, started, busy } = useDraft();
  const [start, setStart] = useState<StartingPoint>('blank');
  const [error, setError] = useState<unknown>(null);
  const basics = useForm<Basics>({
    initialValues: { name: '', worker: worker ?? '', access: 'private' },
    validate: {
      name: (v) => (v.trim() === '' ? t('new.nameMissing') : null),
      worker: (v) => (v ? null : t('new.workerMissing')),
    },
  });
  const persona = useForm<PersonaValues>({
    initialValues: emptyPersona,
    validate: { model: (v, all) => (all.source === 'endpoint' && v.trim() === '' ? t('persona.modelMissing') : null) },
  });
  const { release } = useLeaveGuard(basics.isDirty() || persona.isDirty());

  // What the starting point filled in: as long as it is unchanged, another one may replace it.
  const filled = useRef(JSON.stringify(emptyPersona));
  const fill = (values: PersonaValues) => {
    persona.setValues(values);
    filled.current = JSON.stringify(values);
  };

  /** Begins anew from a starting point; asks first when that would lose what the person wrote. */
  const choose = (point: StartingPoint) => {
    if (point === start) return;
    if (JSON.stringify(persona.getValues()) === filled.current) {
      begin(point);
      return;
    }
    confirm({
      title: t('start.replaceTitle'),
      children: t('start.replaceText'),
      labels: { confirm: t('start.replace'), cancel: t('ui:cancel') },
      onConfirm: () => begin(point),
    });
  };

  const begin = (point: StartingPoint) => {
    setStart(point);
    if (point === 'blank') {
      fill(emptyPersona);
      return;
    }
    fill({
      ...persona.getValues(),
      system_prompt: t(`start.${point}.prompt`),
      welcome: t(`start.${point}.welcome`),
      quick_replies: t(`start.${point}.quick`)
        .split(';')
        .map((s) => s.trim()),
      personality: dialsOf(point),
      handoff: {
        triggers: t('start.triggers')
          .split(';')
          .map((s) => s.trim()),
        message: t('start.handoff'),
      },
    });
  };

  /** Saves what is on the page; undefined when something is missing or refused. access tries it in private. */
  const keep = async (access: Bot['access']): Promise<Bot | undefined> => {
    setError(null);
    const wrong = [basics.validate().hasErrors, persona.validate().hasErrors];
    if (wrong.includes(true)) {
      document.querySelector<HTMLElement>('[data-error="true"], [aria-invalid="true"]')?.focus();
      return undefined;
    }
    const { name, worker: worker_id } = basics.getValues();
    try {
      return await save({
        kind: 'assistant',
        name: name.trim(),
        worker_id,
        access,
        assistant: assistantOf(persona.getValues(), draft?.assistant),
      });
    } catch (e) {
      const errors = fieldErrors(e, { worker_id: 'worker' });
      basics.setErrors(errors);
      persona.setErrors(Object.fromEntries(Object.entries(errors).map(([k, m]) => [k.replace(/^assistant\./, ''), m])));
      setError(e);
      return undefined;
    }
  };

  const attempt = async () => {
    const bot = await keep('private');
    return bot && started(bot);
  };

  const finish = async () => {
    const bot = await keep(basics.getValues().access);
    if (!bot) return;
    release();
    void navigate({
      to: '/t/$tenant/bots/$botId',
      params: { tenant, botId: bot.id },
      search: { created: true },
    });
  };

  return (
    <form
      noValidate
      className={classes.layout}
      onSubmit={(e) => {
        e.preventDefault();
        void finish();
      }}
    >
      <div className={classes.sections}>
        <Section number={1} title={t('new.basics')} text={t('new.basicsText')}>
          <Stack gap="md">
            <TextInput
              label={t('new.nameLabel')}
              placeholder={t('new.namePlaceholder')}
              maxLength={60}
              autoFocus
              required
              {...basics.getInputProps('name')}
            />
            {!draft && <WorkerField {...basics.getInputProps('worker')} />}
            <div>
              <Text size="sm" fw={500} mb={6} id="start-label">
                {t('start.label')}
              </Text>
              <Chip.Group value={start} onChange={(v) => choose(v as StartingPoint)}>
                <div className={classes.starts} role="radiogroup" aria-labelledby="start-label">
                  {startingPoints.map((point) => (
                    <Chip key={point} value={point} size="sm" variant="outline">
                      {t(`start.${point}.name`)}
                    </Chip>
                  ))}
                </div>
              </Chip.Group>
            </div>
          </Stack>
        </Section>
        <PersonaFields form={persona} worker={basics.values.worker || undefined} from={2} />
        <Section number={6} title={t('settings.access')} text={t('settings.accessText')}>
          <Radio.Group aria-label={t('settings.access')} {...basics.getInputProps('access')}>
            <Stack gap="sm">
              {accesses.map((access) => (
                <Radio
                  key={access}
                  value={access}
                  label={t(`access.${access}.name`)}
                  description={t(`access.${access}.text`)}
                />
              ))}
            </Stack>
          </Radio.Group>
        </Section>
      </div>
      <aside className={classes.side} aria-label={t('preview.title')}>
        <Card>
          <Title order={2} mb={4}>
            {t('preview.title')}
          </Title>
          <TestChat
            bot={draft ?? undefined}
            name={basics.values.name || t('kinds.assistant')}
            welcome={persona.values.welcome}
            quickReplies={persona.values.quick_replies}
            prepare={attempt}
            note={draft ? t('preview.draft') : t('preview.text')}
          />
        </Card>
        <Card>
          <Stack gap="sm">
            {error !== null && <InlineError error={error} />}
            <Button type="submit" fullWidth loading={busy}>
              {draft ? t('new.finish') : t('new.createAssistant')}
            </Button>
            <Text size="xs" c="dimmed" ta="center">
              {t('new.channelsLater')}
            </Text>
            {draft && (
              <Group justify="center">
                <Text size="xs" c="dimmed" ta="center">
                  {t('new.draftStays', { name: draft.name })}
                </Text>
              </Group>
            )}
          </Stack>
        </Card>
      </aside>
    </form>
  );
}
