import Glibc

/// What `RestrictSUIDSGID=yes` of systemd.exec(5) does to a service: for this thread, and those that it starts, no call
/// sets the set-group-ID bit. There is no way back.
enum SetGroupIDFilter {
  private struct Failure: Error {
    let call: String
    let code: Int32
  }

  /// struct sock_filter of linux/filter.h
  private struct Instruction {
    let code: UInt16
    let whereTrue: UInt8
    let whereFalse: UInt8
    let value: UInt32
  }

  /// struct sock_fprog
  @safe
  private struct Program {
    let count: UInt16
    let instructions: UnsafePointer<Instruction>?
  }

  /// Number of the call, and which argument its mode is.
  private static var calls: [(number: UInt32, mode: UInt32)] {
    #if arch(x86_64)
      // chmod, fchmod, mkdir, mkdirat, fchmodat, fchmodat2
      [(90, 1), (91, 1), (83, 1), (258, 2), (268, 2), (452, 2)]
    #else
      // fchmod, fchmodat, mkdirat, fchmodat2
      [(52, 1), (53, 2), (34, 2), (452, 2)]
    #endif
  }

  static func install() throws {
    let (load, ifEqual, ifAnyBit, answer): (UInt16, UInt16, UInt16, UInt16) = (
      0x20, 0x15, 0x45, 0x06
    )
    let (allow, notPermitted): (UInt32, UInt32) = (0x7fff_0000, 0x0005_0000 | UInt32(EPERM))
    var filter: [Instruction] = []
    for call in calls {
      filter += [
        Instruction(code: load, whereTrue: 0, whereFalse: 0, value: 0),
        Instruction(code: ifEqual, whereTrue: 0, whereFalse: 3, value: call.number),
        // struct seccomp_data: the arguments begin at 16, their lower half first.
        Instruction(code: load, whereTrue: 0, whereFalse: 0, value: 16 + 8 * call.mode),
        Instruction(code: ifAnyBit, whereTrue: 0, whereFalse: 1, value: UInt32(S_ISGID)),
        Instruction(code: answer, whereTrue: 0, whereFalse: 0, value: notPermitted),
      ]
    }
    filter.append(Instruction(code: answer, whereTrue: 0, whereFalse: 0, value: allow))
    try call("PR_SET_NO_NEW_PRIVS", 38, 1, 0)
    try unsafe filter.withUnsafeBufferPointer { filter in
      var program = unsafe Program(
        count: UInt16(filter.count), instructions: filter.baseAddress)
      try unsafe withUnsafePointer(to: &program) { pointer in
        try call("PR_SET_SECCOMP", 22, 2, UInt(bitPattern: pointer))
      }
    }
    // It does what it should.
    guard unsafe chmod("/nowhere", 0o2755) != 0, errno == EPERM else {
      throw Failure(call: "seccomp", code: errno)
    }
  }

  private static func call(_ name: String, _ option: Int32, _ first: UInt, _ second: UInt) throws {
    guard control(option, first, second, 0, 0) == 0 else {
      throw Failure(call: name, code: errno)
    }
  }
}

/// prctl(2), which has as many arguments as it likes.
@_silgen_name("prctl")
private func control(
  _ option: Int32, _ first: UInt, _ second: UInt, _ third: UInt, _ fourth: UInt
) -> Int32
