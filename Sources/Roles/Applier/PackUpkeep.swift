import Diagnostics
import Git
import Logging

/// Puts together the packs that steps leave in a checkout, when there is nothing else to do.
final class PackUpkeep {
  private let checkouts: [CheckoutSettings]
  private let log: Logger
  /// Paths of checkouts in which a step was made since.
  private var waiting: Set<String> = []

  init(_ checkouts: [CheckoutSettings], log: Logger) {
    self.checkouts = checkouts
    self.log = log
  }

  func touch(_ paths: Set<String>) { waiting.formUnion(paths) }

  /// A checkout that cannot be worked on is tried again after its next step: nothing waits for this.
  func run() {
    for settings in checkouts where waiting.contains(settings.path) {
      do {
        try consolidate(settings)
      } catch {
        let fault = CheckoutFault(path: settings.path, reason: error)
        log.report(
          .consolidationFailed, ["checkout": "\(settings.path)", "error": "\(fault.detail)"])
      }
    }
    waiting = []
  }

  private func consolidate(_ settings: CheckoutSettings) throws {
    // Removed or damaged since: the next heartbeat is about that.
    guard try Checkout.revision(of: settings) != nil else { return }
    let repository = try Repository(opening: try LinkedPath(settings.repositoryPath).target)
    guard let consolidation = try PackConsolidation(of: repository) else { return }
    var room = Room()
    room.add(packOf: Int(clamping: consolidation.byteCount))
    try room.require(at: repository.commonDirectory)
    let lock = try CheckoutLock(gitDirectory: repository.gitDirectory)
    try consolidation.run()
    _ = consume lock
  }
}
