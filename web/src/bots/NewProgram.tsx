import { Button, Card, Progress, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { useTenantSlug } from '@/tenants/queries';
import { InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { useLeaveGuard } from '@/ui/LeaveGuard';
import { useWorkers } from '@/workers/queries';
import { accesses } from './BotSettings';
import { FilePicker } from './FilePicker';
import classes from './NewBotPage.module.css';
import { Section } from './PersonaFields';
import { ProgramFields, validateProgram } from './ProgramFields';
import { emptyProgram, type ProgramValues, programOf } from './program';
import { useBotAction, useSendFiles } from './queries';
import { useDraft } from './useDraft';
import { WorkerField } from './WorkerField';

interface Basics {
  name: string;
  worker: string;
  access: Bot['access'];
}

/** Guides through the creation of a program: its files, how it is run, who reaches it. */
export function NewProgram({ worker }: { worker: string | undefined }) {
  const { t } = useTranslation('bots');
  const format = useFormat();
  const tenant = useTenantSlug();
  const navigate = useNavigate();
  const { data: workers } = useWorkers();
  const { draft, save, busy } = useDraft();
  const send = useSendFiles();
  const action = useBotAction();
  const [file, setFile] = useState<File | null>(null);
  const [sent, setSent] = useState<File | null>(null);
  const [share, setShare] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const basics = useForm<Basics>({
    initialValues: { name: '', worker: worker ?? '', access: 'private' },
    validate: {
      name: (v) => (v.trim() === '' ? t('new.nameMissing') : null),
      worker: (v) => (v ? null : t('new.workerMissing')),
    },
  });
  const program = useForm<ProgramValues>({ initialValues: emptyProgram, validate: validateProgram(t) });
  const { release } = useLeaveGuard(basics.isDirty() || program.isDirty() || file !== null);
  const chosen = workers?.find((w) => w.id === basics.values.worker);

  // Made stopped, given its files, then started: each step goes on where an earlier try ended.
  const finish = async () => {
    setError(null);
    const wrong = [basics.validate().hasErrors, program.validate().hasErrors];
    if (wrong.includes(true)) {
      document.querySelector<HTMLElement>('[data-error="true"], [aria-invalid="true"]')?.focus();
      return;
    }
    const { name, worker: worker_id, access } = basics.getValues();
    try {
      const bot = await save({
        kind: 'program',
        name: name.trim(),
        worker_id,
        access,
        desired: file ? 'stopped' : 'running',
        program: programOf(program.getValues()),
      });
      if (file && file !== sent) {
        await send.mutateAsync({ id: bot.id, file, onProgress: setShare });
        setSent(file);
      }
      if (bot.desired === 'stopped') await action.mutateAsync({ id: bot.id, action: 'start' });
      release();
      void navigate({
        to: '/t/$tenant/bots/$botId',
        params: { tenant, botId: bot.id },
        search: { created: true },
      });
    } catch (e) {
      const errors = fieldErrors(e, { worker_id: 'worker' });
      basics.setErrors(errors);
      program.setErrors(Object.fromEntries(Object.entries(errors).map(([k, m]) => [k.replace(/^program\./, ''), m])));
      setError(e);
    }
  };

  return (
    <form
      noValidate
      className={classes.layout}
      data-narrow
      onSubmit={(e) => {
        e.preventDefault();
        void finish();
      }}
    >
      <div className={classes.sections}>
        <Section number={1} title={t('new.basics')} text={t('new.basicsTextProgram')}>
          <Stack gap="md">
            <TextInput
              label={t('new.nameLabel')}
              placeholder={t('new.namePlaceholderProgram')}
              maxLength={60}
              autoFocus
              required
              {...basics.getInputProps('name')}
            />
            {!draft && <WorkerField {...basics.getInputProps('worker')} />}
          </Stack>
        </Section>
        <Section number={2} title={t('files.title')} text={t('files.newText')}>
          <FilePicker file={file} onChange={setFile} />
        </Section>
        <ProgramFields form={program} worker={basics.values.worker || undefined} from={3} />
        <Section number={6} title={t('settings.access')} text={t('settings.accessTextProgram')}>
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
      <aside className={classes.side} aria-label={t('new.summary')}>
        <Card>
          <Text fw={600} mb="sm" truncate>
            {basics.values.name.trim() || t('new.unnamed')}
          </Text>
          <dl className={classes.facts}>
            <dt>{t('new.worker')}</dt>
            <dd>{chosen?.name ?? '–'}</dd>
            <dt>{t('files.title')}</dt>
            <dd>{file ? format.bytes(file.size) : '–'}</dd>
            <dt>{t('program.commandLabel')}</dt>
            <dd>{program.values.command || '–'}</dd>
            <dt>{t('program.env')}</dt>
            <dd className="numeric">{format.number(program.values.env.filter((e) => e.name).length)}</dd>
            <dt>{t('settings.access')}</dt>
            <dd>{t(`access.${basics.values.access}.name`)}</dd>
          </dl>
          <Stack gap="sm">
            {send.isPending && <Progress value={share * 100} size="sm" animated aria-label={t('files.sending')} />}
            {error !== null && <InlineError error={error} />}
            {error !== null && draft && (
              <Text size="xs" c="dimmed">
                {t('new.goesOn', { name: draft.name })}
              </Text>
            )}
            <Button type="submit" fullWidth loading={busy || send.isPending || action.isPending}>
              {t('new.createProgram')}
            </Button>
          </Stack>
        </Card>
      </aside>
    </form>
  );
}
