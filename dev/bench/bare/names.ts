/** Task queue of the bare workflows, apart from that of the control plane. */
export const BARE_TASK_QUEUE = 'bare';
