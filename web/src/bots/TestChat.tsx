import { ActionIcon, Button, Loader, Text, Textarea, Tooltip } from '@mantine/core';
import { IconRefresh, IconSend2, IconUserHeart } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/problem';
import type { Bot } from '@/api/resources';
import { InlineError } from '@/ui/errors';
import { useSendMessage } from './queries';
import classes from './TestChat.module.css';

interface Line {
  id: number;
  from: 'person' | 'bot';
  text: string;
  handoff?: boolean;
}

interface Props {
  bot?: Bot;
  name: string;
  welcome?: string;
  quickReplies?: string[];
  /** Makes the bot ready before a message goes to it; undefined when it can't be now. */
  prepare?: () => Promise<Bot | undefined>;
  /** In the place of the text about test messages. */
  note?: string;
}

const running = new Set(['running', 'unhealthy']);

/** Talks to the bot the way its users do. */
export function TestChat({ bot, name, welcome, quickReplies = [], prepare, note }: Props) {
  const { t } = useTranslation('bots');
  const send = useSendMessage();
  const [lines, setLines] = useState<Line[]>([]);
  const [draft, setDraft] = useState('');
  const [conversation, setConversation] = useState<string>();
  const [offers, setOffers] = useState<string[] | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const end = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  const nextId = useRef(0);
  const ready = prepare !== undefined || (bot !== undefined && running.has(bot.status.state));

  // biome-ignore lint/correctness/useExhaustiveDependencies: another line scrolls into view
  useEffect(() => {
    const list = end.current?.parentElement;
    if (list) list.scrollTop = list.scrollHeight;
  }, [lines.length, busy, error]);

  const say = (from: Line['from'], text: string, handoff?: boolean) =>
    setLines((all) => [...all, { id: nextId.current++, from, text, handoff }]);

  const reset = () => {
    if (busy) return;
    setLines([]);
    setConversation(undefined);
    setOffers(null);
    setError(null);
    input.current?.focus();
  };

  const submit = async (text: string) => {
    const message = text.trim();
    if (!message || busy) return;
    setBusy(true);
    setError(null);
    try {
      const target = prepare ? await prepare() : bot;
      if (!target) return;
      say('person', message);
      setDraft('');
      let going = conversation;
      for (let attempt = 0; ; attempt++) {
        try {
          const answer = await send.mutateAsync({ bot: target.id, message, conversation: going });
          setConversation(answer.conversation);
          setOffers(answer.quick_replies ?? []);
          say('bot', answer.reply, answer.handoff);
          break;
        } catch (e) {
          // A bot that was changed a moment ago restarts and has forgotten nothing but the connection.
          if (!prepare || attempt >= 8 || !isApiError(e, 'unavailable', 'network')) throw e;
          if (attempt > 3) going = undefined;
          await new Promise((resolve) => setTimeout(resolve, 700));
        }
      }
    } catch (e) {
      setError(e);
      setDraft((typed) => typed || message);
    } finally {
      setBusy(false);
      input.current?.focus();
    }
  };

  const offered = offers ?? quickReplies;
  return (
    <div>
      <div className={classes.head}>
        <Text size="sm" c="dimmed">
          {note ?? t('chat.text')}
        </Text>
        {lines.length > 0 && (
          <Tooltip label={t('chat.reset')}>
            <ActionIcon aria-label={t('chat.reset')} onClick={reset}>
              <IconRefresh size={17} stroke={1.7} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      <div className={classes.frame}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keyboard */}
        <div className={classes.lines} role="log" aria-label={t('chat.log', { name })} tabIndex={0}>
          {welcome?.trim() && <div className={classes.bot}>{welcome}</div>}
          {!welcome?.trim() && lines.length === 0 && <div className={classes.hint}>{t('chat.first')}</div>}
          {lines.map((line) => (
            <div key={line.id} className={line.from === 'bot' ? classes.bot : classes.person}>
              <span className={classes.hidden}>{line.from === 'bot' ? `${name}: ` : `${t('chat.you')}: `}</span>
              {line.text}
              {line.handoff && (
                <span className={classes.handoff}>
                  <IconUserHeart size={15} stroke={1.8} aria-hidden />
                  {t('chat.handoff')}
                </span>
              )}
            </div>
          ))}
          {busy && (
            <div className={classes.bot}>
              <Loader type="dots" size="xs" color="gray" aria-label={t('chat.writing')} />
            </div>
          )}
          {error !== null && <InlineError error={error} />}
          <div ref={end} />
        </div>
        {offered.length > 0 && (
          <div className={classes.offers}>
            {offered.map((offer) => (
              <Button
                key={offer}
                size="compact-sm"
                variant="default"
                radius="xl"
                disabled={!ready || busy}
                onClick={() => void submit(offer)}
              >
                {offer}
              </Button>
            ))}
          </div>
        )}
        {/* No form of its own: the chat may be part of one. */}
        <div className={classes.form}>
          <Textarea
            ref={input}
            flex={1}
            autosize
            minRows={1}
            maxRows={4}
            maxLength={8000}
            aria-label={t('chat.message')}
            placeholder={ready ? t('chat.message') : t('chat.notRunning')}
            disabled={!ready}
            value={draft}
            onChange={(e) => setDraft(e.currentTarget.value)}
            onKeyDown={(e) => {
              if (e.key === 'Enter' && !e.shiftKey && !e.nativeEvent.isComposing) {
                e.preventDefault();
                void submit(draft);
              }
            }}
          />
          <ActionIcon
            size={36}
            variant="filled"
            color="cobalt"
            aria-label={t('chat.send')}
            disabled={!ready || busy || draft.trim() === ''}
            onClick={() => void submit(draft)}
          >
            <IconSend2 size={18} />
          </ActionIcon>
        </div>
      </div>
    </div>
  );
}
