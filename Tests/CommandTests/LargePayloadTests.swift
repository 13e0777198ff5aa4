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
    try installation.fillSource(mebibytes: Self.mebibytes)
    let daemon = try installation.startDaemon()
    let send = try installation.startSend("--ref", "main", "--wait", "600")
    // The kernel keeps the highest value; it is read until the process is gone.
    var sender = 0
    while send.process.isRunning {
      sender = max(sender, Self.peakMebibytes(of: send.pid))
      usleep(2_000)
    }
    #expect(send.wait() == 0, "\(send.log) \(daemon.log)")
    let applier = Self.peakMebibytes(of: daemon.pid)
    #expect((1..<Self.residentMebibytesMax).contains(sender), "sign-and-send: \(sender) MiB")
    #expect((1..<Self.residentMebibytesMax).contains(applier), "verify-apply: \(applier) MiB")
    if Self.mebibytes > 64 {
      print("VmHWM: sign-and-send \(sender) MiB, verify-apply \(applier) MiB")
    }
    #expect(daemon.end().status == 0)
    try installation.expectEqual()
  }

  /// 0 when the process is gone.
  static func peakMebibytes(of pid: Int32) -> Int {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kibibytes = line.split(whereSeparator: { " \t".contains($0) }).dropFirst().first
    else { return 0 }
    return (Int(kibibytes) ?? 0) / 1_024
  }
}
