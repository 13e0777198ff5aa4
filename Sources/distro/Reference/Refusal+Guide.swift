import MessageFormat

extension Refusal {
  /// For operators: what happened, and what to do.
  var guide: (meaning: String, advice: String) {
    switch self {
    case .malformed: ("the message is not in the documented form", "update both sides")
    case .tampered:
      (
        "the message was changed, mixed up or cut off on its way",
        "send again; check who can write to outbox or inbox"
      )
    case .notARecipient: ("the message is for another machine", "check `recipients:`")
    case .unknownSigner:
      (
        "the signer is not trusted, or not for this checkout",
        "check `trusted-signers:` and `signers:`"
      )
    case .badSignature: ("the signature does not match", "as `tampered`")
    case .expired: ("the message is too old", "check both clocks; send again")
    case .clockSkew: ("the message was made in the future", "check both clocks; send again")
    case .overLimit:
      ("a limit was exceeded; the detail names it", "docs/message-format.md, \"Limits\"")
    case .replayed:
      (
        "the sequence number was used before",
        "check whether the signer's state was restored from a backup"
      )
    case .forked:
      (
        "the stream has another history",
        "check whether the signer's state was restored from a backup"
      )
    case .remoteMismatch:
      (
        "no checkout has that remote, or its `origin` differs",
        "check `remote:` on both sides, and `git remote -v`"
      )
    case .branchMismatch: ("another branch is checked out", "`git switch` there")
    case .empty: ("the tree is the same before and after", "nothing")
    case .unsafePath:
      ("a path could leave the checkout or reach `.git`", "rename the file; never accepted")
    case .unusualPath:
      ("a path has control characters or backslashes", "rename the file, or `unusual-paths: allow`")
    case .symbolicLink:
      ("a symbolic link leaves the checkout", "change the link, or `symbolic-links: any`")
    case .notPermitted:
      (
        "a path is outside of `allow-paths`, in `deny-paths`, or a submodule that the checkout does not take",
        "take it out of the push, or change the checkout's policy"
      )
    case .doesNotApply, .treeMismatch, .commitMismatch, .invalidPack:
      ("the payload is not what the message says", "report it: a fault of the signer's program")
    case .goingBack:
      (
        "the message leads to an older revision",
        "`on-going-back: apply` until it has arrived, if the branch was taken back on purpose"
      )
    case .largeFileMissing:
      (
        "the content of a Git LFS file was not shipped, now or before",
        "after a change to `lfs: ship`, or loss of `.git/lfs`: `sign-and-send --ref BRANCH --snapshot`"
      )
    case .invalidLargeFile:
      (
        "the content of a Git LFS file is not the one of its pointer, or no pointer names it",
        "report it: a fault of the signer's program"
      )
    case .invalidSubmodule:
      (
        "`.gitmodules` is not followed, or what came of a submodule is not what the tree names",
        "correct `.gitmodules` as the detail says, or set `submodules: pin`; otherwise report it"
      )
    case .localChanges:
      (
        "a file that the patch changes was changed by hand",
        "move the change away: `git stash`; or `on-local-changes: overwrite`"
      )
    case .foreignCommit:
      (
        "the checkout's commit was made there, or sent by another signer that is at work",
        "push it to the source, or move it away: `git branch mine`, then `git reset --hard` to the commit before; or `on-local-changes: overwrite`"
      )
    case .checkoutUnusable: ("the path is bare, SHA-256 or not a repository", "check `path:`")
    case .vetoed:
      (
        "`before-apply` of the checkout said no; the detail has its last words",
        "what it asks for; the signer tries again"
      )
    case .rolledBack:
      (
        "the revision failed its `after-apply` or its health check there, and the one before is back",
        "push a revision that works; this one is not tried again"
      )
    case .unhealthy:
      (
        "the revision failed as for `rolled-back`, and stays: the detail says why",
        "push a revision that works"
      )
    case .unprocessable:
      ("the message ended the program six times, or exceeded its deadline twice", "report it")
    }
  }
}
