import ArgumentParser
import DirectoryCarrier

struct Carry: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copies messages between two directories that are carriers, or prepares one.",
    discussion: """
      What is new in the first is copied to the second, verified, and whole before it is visible there. Acknowledgements \
      travel along; what they name is removed from the second. Nothing is removed that its reader has not acknowledged, \
      but what a newer message has replaced. A run that was interrupted goes on where it was.

        distro carry --prepare /media/usb/distro
        distro carry --from /srv/distro --to /media/usb/distro --both-ways
      """)

  @Option(help: "The directory that messages are copied from.")
  var from: String?

  @Option(help: "The directory that they are copied to.")
  var to: String?

  @Flag(help: "Copies back afterwards as well.")
  var bothWays = false

  @Option(help: "Makes this directory, which must be there, one that carriers use.")
  var prepare: String?

  func validate() throws {
    guard (from == nil) == (to == nil), (from == nil) == (prepare != nil) else {
      throw ValidationError("either --from and --to, or --prepare")
    }
    guard !bothWays || from != nil else {
      throw ValidationError("--both-ways needs --from and --to")
    }
  }

  func run() throws {
    if let prepare {
      let isNew = try CarriedDirectory.prepare(prepare)
      return Terminal.print("\(prepare): \(isNew ? "is prepared" : "was prepared before")")
    }
    guard let from, let to else { return }
    var faultCount = try carry(from, to)
    if bothWays { faultCount += try carry(to, from) }
    if faultCount > 0 { throw ExitCode(.fault) }
  }

  /// Returns how many messages could not be copied.
  private func carry(_ source: String, _ target: String) throws -> Int {
    let report = try Carrying(from: source, to: target).run(
      at: Int(WallClock.now().milliseconds / 1_000))
    for fault in report.faults {
      Terminal.printError(Terminal.harmless("distro: left behind: \(fault.path): \(fault.reason)"))
    }
    let others = report.faultCount - report.faults.count
    if others > 0 { Terminal.printError("distro: left behind: \(others) more messages") }
    Terminal.print(
      "\(source) -> \(target): \(report.messageCount) messages (\(Quantity.bytes(report.byteCount))), "
        + "\(report.acknowledgementCount) acknowledgements; removed \(report.removedCount), "
        + "left behind \(report.faultCount)")
    return report.faultCount
  }
}
