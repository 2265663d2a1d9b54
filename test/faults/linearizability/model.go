package main

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// Change is what an asynchronous operation does to an address.
type Change string

const (
	Assign   Change = "assign"
	Unassign Change = "unassign"
)

// Unnumbered stands for the action of an operation whose answer was lost.
const Unnumbered int64 = -1

// Operation is one thing that happened to an address, or to a droplet, between two moments, as the clients saw it.
type Operation struct {
	// Kind is reserve, release, accept, end, open, read or refuse; of a droplet: create, destroy, present or absent.
	Kind string `json:"kind"`
	// Address is what it happened to; a droplet is "droplet" and its number.
	Address string `json:"address"`
	// Call and Return are microseconds of one clock that all clients share.
	Call   int64  `json:"call"`
	Return int64  `json:"return"`
	Client int    `json:"client"`
	Told   string `json:"told"`

	Account int64 `json:"account"`
	// Maybe says that nobody knows whether it took effect: no answer came.
	Maybe bool `json:"maybe"`
	// Change is assign for a reserve that is for a droplet, too.
	Change Change `json:"change"`
	// Droplet is where an assign takes the address, or where a read saw it; 0 is nowhere. Of an unassign it is the
	// droplet that is destroyed and lets go of the address; 0 when the address itself was asked for.
	Droplet int64 `json:"droplet"`
	Action  int64 `json:"action"`
	// Unanswered marks the end of an action whose number no client was told when it was accepted.
	Unanswered bool `json:"unanswered"`
	// Status is how an action ended: completed or errored.
	Status string `json:"status"`
	// Found and Locked are what a read saw; an IPv6 address does not show whether it is locked.
	Found  bool  `json:"found"`
	Locked *bool `json:"locked"`
	// Reason is why a request was refused: pending, already_assigned, not_assigned, still_assigned, not_found or occupied.
	Reason string `json:"reason"`
}

// State is an address between two operations, or a droplet.
type State struct {
	// Exists is only said of droplets.
	Exists bool
	// Account holds the address; 0 is nobody.
	Account int64
	// Droplet is where it is; 0 is nowhere.
	Droplet int64
	// Action is open on it; 0 is none, Unnumbered one whose number no client was told.
	Action int64
	Change Change
	Target int64
	// Leaving says that the droplet is destroyed, and is shown or not until the address has come off it.
	Leaving bool
}

func (state State) heldBy(account int64) bool { return state.Account == account }
func (state State) idle() bool                { return state.Action == 0 }

// Next answers the states that can follow, none when the operation cannot have happened in this one.
func Next(state State, operation Operation) []State {
	followers := following(state, operation)
	if operation.Maybe {
		return append(followers, state)
	}
	return followers
}

func following(state State, operation Operation) []State {
	switch operation.Kind {
	case "reserve":
		if state.Account == 0 && state.idle() {
			return []State{reserved(operation)}
		}
	case "release":
		if state.heldBy(operation.Account) && state.idle() {
			return []State{{}}
		}
	case "accept":
		if accepts(state, operation) {
			return []State{opened(state, operation)}
		}
	case "end":
		if isOpen(state, operation) {
			return []State{ended(state, operation.Status)}
		}
	case "open":
		if state.Action == operation.Action {
			return []State{state}
		}
	case "read":
		if explainsRead(state, operation) {
			return []State{state}
		}
	case "refuse":
		if explainsRefusal(state, operation) {
			return []State{state}
		}
	default:
		return followingOfDroplet(state, operation)
	}
	return nil
}

// A droplet is made once, and destroyed once.
func followingOfDroplet(state State, operation Operation) []State {
	switch operation.Kind {
	case "create":
		if !state.Exists {
			return []State{{Exists: true}}
		}
	case "destroy":
		if state.Exists {
			return []State{{}}
		}
	case "present":
		if state.Exists {
			return []State{state}
		}
	case "absent":
		if !state.Exists {
			return []State{state}
		}
	}
	return nil
}

// An address is given to an account and, with a droplet, is on its way there in the same moment.
func reserved(operation Operation) State {
	state := State{Account: operation.Account}
	if operation.Change == Assign {
		return opened(state, operation)
	}
	return state
}

func opened(state State, operation Operation) State {
	state.Action, state.Change, state.Target = operation.Action, operation.Change, 0
	if operation.Change == Assign {
		state.Target = operation.Droplet
	}
	state.Leaving = operation.Change == Unassign && operation.Droplet != 0
	return state
}

func accepts(state State, operation Operation) bool {
	if !state.heldBy(operation.Account) || !state.idle() {
		return false
	}
	if operation.Change == Assign {
		return state.Droplet != operation.Droplet
	}
	return state.Droplet != 0 && (operation.Droplet == 0 || operation.Droplet == state.Droplet)
}

func isOpen(state State, operation Operation) bool {
	action := operation.Action
	if operation.Unanswered {
		action = Unnumbered
	}
	return state.Action == action && state.Change == operation.Change
}

func ended(state State, status string) State {
	if status == "completed" {
		state.Droplet = state.Target
	}
	return State{Account: state.Account, Droplet: state.Droplet}
}

func explainsRead(state State, operation Operation) bool {
	if !operation.Found {
		return !state.heldBy(operation.Account)
	}
	seesLock := operation.Locked == nil || *operation.Locked != state.idle()
	seesPlace := state.Droplet == operation.Droplet || state.Leaving && operation.Droplet == 0
	return state.heldBy(operation.Account) && seesPlace && seesLock
}

func explainsRefusal(state State, operation Operation) bool {
	if operation.Reason == "not_found" {
		return !state.heldBy(operation.Account)
	}
	if !state.heldBy(operation.Account) {
		return false
	}
	switch operation.Reason {
	case "pending":
		return !state.idle()
	case "already_assigned":
		return state.idle() && state.Droplet == operation.Droplet
	case "not_assigned":
		return state.idle() && state.Droplet == 0
	case "still_assigned":
		return state.idle() && state.Droplet != 0
	case "occupied":
		return state.idle() && state.Droplet != operation.Droplet
	}
	return false
}

// Model is the sequential address, or droplet, for the checker.
func Model() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []interface{} { return []interface{}{State{}} },
		Step: func(state, input, _ interface{}) []interface{} {
			var states []interface{}
			for _, next := range Next(state.(State), input.(Operation)) {
				states = append(states, next)
			}
			return states
		},
		DescribeOperation: func(input, _ interface{}) string { return describe(input.(Operation)) },
	}
	return model.ToModel()
}

func describe(operation Operation) string {
	return fmt.Sprintf("client %d: %s", operation.Client, operation.Told)
}
