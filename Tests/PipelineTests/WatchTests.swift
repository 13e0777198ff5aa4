import Applier
import Foundation
import Git
import Logging
import MessageFormat
import TestSupport
import Testing

/// How often an applier looks at checkouts where nothing happens.
struct WatchTests {
  @Test func `a step looks at the checkout concerned, and at the others every ninety seconds`()
    throws
  {
    let pipeline = try Pipeline.started()
    let settings = pipeline.applierSettings
    let idle = PipelineRepository(at: pipeline.folder.path("idle"), in: pipeline.folder)
    try pipeline.source.git("clone", "-q", pipeline.source.path, idle.path)
    let head = try idle.id()
    let other = CheckoutSettings(
      stream: StreamName(remote: RemoteName(known: "idle"), branch: pipeline.main),
      path: idle.path, onLocalChanges: .refuse, unusualPaths: .refuse, symbolicLinks: .inside,
      signers: [pipeline.signer.public.mailbox], staleAfterSeconds: nil)
    let path = pipeline.folder.path("metrics")
    let worker = Worker(
      ApplierSettings(
        identity: settings.identity, state: settings.state,
        trustedSigners: settings.trustedSigners, checkouts: settings.checkouts + [other],
        deadline: settings.deadline, metrics: path),
      store: pipeline.store, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { [clock = pipeline.clock] in clock.now },
      sinceBoot: { [clock = pipeline.clock] in clock.sinceBoot }, onAnswer: {})
    func metrics() throws -> String {
      while case .progress = try worker.handleNext() {}
      return try String(contentsOfFile: path, encoding: .utf8)
    }
    #expect(try metrics().contains("path=\"\(idle.path)\",revision=\"\(head)\""))
    try FileManager.default.moveItem(atPath: idle.path, toPath: idle.path + ".away")
    pipeline.clock.advance(seconds: 11)
    let next = try pipeline.source.commit(["a": "2\n"])
    try pipeline.send()
    try pipeline.transfer()
    let text = try metrics()
    #expect(text.contains("path=\"\(pipeline.checkout.path)\",revision=\"\(next)\""))
    #expect(text.contains("path=\"\(idle.path)\",revision=\"\(head)\""))
    pipeline.clock.advance(seconds: 91)
    #expect(try metrics().contains("path=\"\(idle.path)\",revision=\"\""))
  }

  @Test func `the deadline grows with what is in hand`() {
    let deadline = Duration.seconds(600)
    #expect(Watchdog.deadline(deadline, forByteCount: 1_000) == deadline)
    // A gibibyte on a disk that does 256 KiB a second of everything that there is to do.
    #expect(Watchdog.deadline(deadline, forByteCount: 1 << 30) == .seconds(600 + 4_096))
  }
}
