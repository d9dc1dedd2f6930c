import { Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import classes from './PageHeader.module.css';

interface Props {
  title: string;
  /** Shown in the place of the title's text, when there is more to it than words. */
  heading?: ReactNode;
  back?: ReactNode;
  text?: ReactNode;
  actions?: ReactNode;
}

/** The head of a page; it names the browser's tab as well. */
export function PageHeader({ title, heading, back, text, actions }: Props) {
  useEffect(() => {
    document.title = `${title} · BaaS`;
  }, [title]);
  return (
    <header className={classes.root}>
      {back && <div className={classes.back}>{back}</div>}
      <div className={classes.row}>
        <div className={classes.words}>
          <Title order={1} className={classes.title}>
            {heading ?? title}
          </Title>
          {text && <div className={classes.text}>{text}</div>}
        </div>
        {actions && <div className={classes.actions}>{actions}</div>}
      </div>
    </header>
  );
}
