import Applier
import Foundation
import Git
import Logging
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// One broken checkout and a healthy one on one machine.
struct InboxShareTests {
  @Test func `a broken checkout leaves room in the inbox for the others`() throws {
    let pipeline = try Pipeline.started()
    let settings = pipeline.applierSettings
    let healthy = try #require(settings.checkouts.first)
    // Nothing can be made below a file.
    try Data().write(to: URL(fileURLWithPath: pipeline.folder.path("file")))
    let others = (0..<2_000).map { number in
      CheckoutSettings(
        stream: StreamName(
          remote: RemoteName(known: "other:\(number)"), branch: pipeline.main),
        path: pipeline.folder.path("file/\(number)"), onLocalChanges: .refuse,
        unusualPaths: .refuse, symbolicLinks: .inside, signers: healthy.signers,
        staleAfterSeconds: nil)
    }
    let worker = Worker(
      ApplierSettings(
        identity: settings.identity, state: settings.state,
        trustedSigners: settings.trustedSigners, checkouts: [healthy] + others,
        deadline: settings.deadline),
      store: pipeline.store, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { [clock = pipeline.clock] in clock.now }, onAnswer: {})
    // Of 10,000 messages, each of 2,001 checkouts may have four wait.
    var forgery = try pipeline.forgery(to: try pipeline.source.commit(["a": "2\n"]))
    forgery.message.stream = others[0].stream
    (forgery.message.before, forgery.message.descends) = (nil, false)
    for number in 1...9 {
      (forgery.message.sequence, forgery.message.previous) = (UInt64(number), nil)
      try pipeline.deposit(try forgery.sealed())
    }
    try pipeline.send()
    try pipeline.transfer()
    while case .progress = try worker.handleNext() {}
    let receipts = try pipeline.receipts()
    let declined = receipts.filter { if case .blocked = $0.outcome { true } else { false } }
    // The last of them: they go into one slot, where the next replaces the one before.
    #expect(declined.map(\.subject?.sequence) == [9])
    #expect(receipts.contains { if case .applied = $0.outcome { true } else { false } })
    #expect(try pipeline.checkout.id() == pipeline.source.id())
    let mailbox = pipeline.applier.public.mailbox
    #expect(try pipeline.store.messages(in: mailbox, countMax: 99).count == 4)
  }
}
