import Foundation
import TestSupport
import Testing

/// A snapshot much larger than what a process may take.
struct LargePayloadTests {
  static let mebibytes =
    ProcessInfo.processInfo.environment["DISTRO_BIG_MIB"].flatMap { Int($0) } ?? 64
  static let residentMebibytesMax = 128

  @Test func `both processes stay small whatever the payload`() throws {
    let installation = try Installation()
    try installation.expectSmallPrograms(try installation.startDaemon())
  }
}

extension Installation {
  /// While a payload goes from one to the other. The applier ends.
  func expectSmallPrograms(_ applier: RunningProgram) throws {
    try fillSource(mebibytes: LargePayloadTests.mebibytes)
    let send = try startSend("--ref", "main", "--wait", "600")
    // The kernel keeps the highest value; it is read until the process is gone.
    var sender = 0
    while send.process.isRunning {
      sender = max(sender, Self.peakMebibytes(of: send.pid))
      usleep(2_000)
    }
    #expect(send.wait() == 0, "\(send.log) \(applier.log)")
    let receiver = Self.peakMebibytes(of: applier.pid)
    let allowed = 1..<LargePayloadTests.residentMebibytesMax
    #expect(allowed.contains(sender), "sign-and-send: \(sender) MiB")
    #expect(allowed.contains(receiver), "verify-apply: \(receiver) MiB")
    if LargePayloadTests.mebibytes > 64 {
      print("VmHWM: sign-and-send \(sender) MiB, verify-apply \(receiver) MiB")
    }
    #expect(applier.end().status == 0)
    try expectEqual()
  }

  /// 0 when the process is gone.
  private static func peakMebibytes(of pid: Int32) -> Int {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kibibytes = line.split(whereSeparator: { " \t".contains($0) }).dropFirst().first
    else { return 0 }
    return (Int(kibibytes) ?? 0) / 1_024
  }
}
