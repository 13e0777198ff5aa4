import Applier
import Foundation
import Mailboxes
import MessageFormat
import Signer

/// (c): many queued messages of one commit each, and `git am` of the same commits.
struct CatchUpRow {
  let workspace: Workspace
  let scale: Scale

  private var messageCount: Int { scale.isShort ? 200 : 1_000 }

  func measure() throws -> Measurement {
    try History(fileCount: 1_000, commitCount: messageCount).make("shop.git", in: workspace)
    try History.checkOut("shop.git", to: "base", origin: Pair.remote, in: workspace)
    let patches = "patches"
    try workspace.git("format-patch", "--quiet", "--stdout", "base..main", in: "shop.git")
    try FileManager.default.moveItem(
      atPath: workspace.path("output"), toPath: workspace.path(patches))
    let pair = try Pair(workspace, "pair", repository: "shop.git", checkout: "checkout")
    try queue(pair)
    try workspace.copy(pair.applierState, to: "queued")
    let tip = try workspace.revision("main", in: "shop.git")
    var (ours, theirs): ([Double], [Double]) = ([], [])
    for run in 0..<scale.runCount {
      // Nothing is deleted meanwhile: the file system would be slow to give inodes again.
      try workspace.move("checkout", to: "checkout-\(run)")
      try workspace.move(pair.applierState, to: "applier-\(run)")
      try workspace.copy("base", to: "checkout")
      try workspace.copy("queued", to: pair.applierState)
      workspace.settle()
      ours.append(seconds(try pair.catchUp()))
      guard try workspace.revision("HEAD", in: "checkout") == tip else {
        throw ProgramFailure(description: "not all of the messages were applied")
      }
      try workspace.copy("base", to: "am-\(run)")
      workspace.settle()
      theirs.append(seconds(try workspace.git("am", "--quiet", in: "am-\(run)", input: patches)))
      let (tree, wanted) = ("HEAD^{tree}", "main^{tree}")
      guard
        try workspace.revision(tree, in: "am-\(run)") == workspace.revision(wanted, in: "shop.git")
      else { throw ProgramFailure(description: "git am gave another tree") }
    }
    let speedup = median(theirs) / median(ours)
    return Measurement(
      name: "(c) verify-apply of \(messageCount) queued messages, and git am (times faster)",
      ours: milliseconds(median(ours)), theirs: milliseconds(median(theirs)), ratio: speedup,
      goal: .atLeast(10),
      notes: ["each: " + ours.map { milliseconds($0) }.joined(separator: ", ")])
  }

  /// Each commit signed by a run of its own, without an answer, and put into the inbox as a listener does.
  private func queue(_ pair: Pair) throws {
    var before = try workspace.revision("base", in: "shop.git")
    for commit in try History.commits(of: "shop.git", in: workspace) {
      try pair.startPush(of: commit, behind: before, wait: 0).wait()
      before = commit
    }
    let outbox = try MailboxStore(
      state: StateDatabase.signer(directory: workspace.path(pair.signerState)))
    let inbox = try MailboxStore(
      state: StateDatabase.applier(directory: workspace.path(pair.applierState)))
    let signer = try pair.signer
    var incoming: [MessageWriter] = []
    for stored in try outbox.messages(in: try pair.applier, countMax: messageCount) {
      let chunks = try stored.open()
      let message = try MessageWriter(
        DepositOffer(id: stored.id, mailboxes: [stored.mailbox], size: stored.size), from: signer,
        into: inbox)
      for index in 0..<chunks.count { try message.append(chunks[index]) }
      incoming.append(message)
    }
    let now = UInt64(Date().timeIntervalSince1970 * 1_000)
    try inbox.commit(incoming, at: Timestamp(milliseconds: now))
  }
}
