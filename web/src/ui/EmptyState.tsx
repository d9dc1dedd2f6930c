import type { Icon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './EmptyState.module.css';

interface Props {
  icon: Icon;
  title: string;
  text?: ReactNode;
  action?: ReactNode;
  compact?: boolean;
  /** The title is the page's own. */
  page?: boolean;
}

/** Where there is nothing yet: what would be here, and the first step. */
export function EmptyState({ icon: IconOf, title, text, action, compact, page }: Props) {
  return (
    <div className={classes.root} data-compact={compact || undefined}>
      <span className={classes.icon}>
        <IconOf size={compact ? 20 : 24} stroke={1.6} aria-hidden />
      </span>
      {page ? <h1 className={classes.title}>{title}</h1> : <p className={classes.title}>{title}</p>}
      {text && <div className={classes.text}>{text}</div>}
      {action && <div className={classes.action}>{action}</div>}
    </div>
  );
}
