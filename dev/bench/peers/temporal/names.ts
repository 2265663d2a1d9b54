/** Task queue of the peer that is plain Temporal. */
export const PEER_TASK_QUEUE = 'peer';
