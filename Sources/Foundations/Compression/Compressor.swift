internal import CZstd

/// Makes one zstd frame of what is written, in pieces as they come; belongs to one thread.
///
/// The frame has no checksum: callers that must know that it is whole have a digest or a signature
/// over it.
@safe package struct Compressor: ~Copyable {
  /// Of the levels 1, 2, 3 and 5 the best for what we send: a diff of 60 kB in 0.4 ms (level 3:
  /// 0.7 ms, 3 % smaller), packs and other incompressible content at 1.2 GB/s (level 3: 0.4
  /// GB/s), 3 MiB of memory.
  package static let usualLevel: Int32 = 2

  private let context: OpaquePointer
  private var piece = [UInt8](repeating: 0, count: Zstd.pieceByteCountMax)
  private var filledByteCount = 0
  private var isOpen = true

  /// `level` is zstd's, 1 to 9: beyond that it takes more memory than a payload is worth.
  package init(level: Int32 = Compressor.usualLevel) throws(CompressionError) {
    precondition((1...9).contains(level), "a level between 1 and 9")
    guard let context = unsafe ZSTD_createCCtx() else { throw .outOfMemory }
    let outcome = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
    precondition(ZSTD_isError(outcome) == 0, "every zstd has these levels")
    unsafe self.context = context
  }

  deinit { unsafe ZSTD_freeCCtx(context) }

  /// Takes all of `input`; `sink` gets what is ready by then. After an error the stream is of no
  /// more use.
  package mutating func write<SinkError: Error>(
    _ input: Span<UInt8>, into sink: (Span<UInt8>) throws(SinkError) -> Void
  ) throws(StreamError<SinkError>) {
    var consumed = 0
    while consumed < input.count {
      let rest = input.extracting(consumed..<input.count)
      do { consumed += try step(rest, ZSTD_e_continue).consumed } catch { throw .stream(error) }
      try emit(atLeast: Zstd.pieceByteCountMax, into: sink)
    }
  }

  /// The same.
  package mutating func write<SinkError: Error>(
    _ input: [UInt8], into sink: (Span<UInt8>) throws(SinkError) -> Void
  ) throws(StreamError<SinkError>) {
    try write(input.span, into: sink)
  }

  /// Ends the frame; nothing can be written after it.
  package mutating func finish<SinkError: Error>(
    into sink: (Span<UInt8>) throws(SinkError) -> Void
  ) throws(StreamError<SinkError>) {
    let nothing: [UInt8] = []
    var isComplete = false
    while !isComplete {
      do { isComplete = try step(nothing.span, ZSTD_e_end).remaining == 0 } catch {
        throw .stream(error)
      }
      try emit(atLeast: 1, into: sink)
    }
    isOpen = false
  }

  private mutating func step(
    _ input: Span<UInt8>, _ directive: ZSTD_EndDirective
  ) throws(CompressionError) -> (consumed: Int, remaining: Int) {
    precondition(isOpen, "nothing is written behind the end of a frame or after an error")
    let (filled, context) = unsafe (filledByteCount, self.context)
    let (outcome, consumed, produced) = unsafe input.withUnsafeBytes { source in
      unsafe piece.withUnsafeMutableBytes { target in
        var source = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
        var target = unsafe ZSTD_outBuffer(
          dst: target.baseAddress, size: target.count, pos: filled)
        let outcome = unsafe ZSTD_compressStream2(context, &target, &source, directive)
        return unsafe (outcome, source.pos, target.pos)
      }
    }
    filledByteCount = produced
    do {
      return (consumed, try Zstd.check(outcome))
    } catch {
      isOpen = false
      throw error
    }
  }

  private mutating func emit<SinkError: Error>(
    atLeast byteCountMin: Int, into sink: (Span<UInt8>) throws(SinkError) -> Void
  ) throws(StreamError<SinkError>) {
    guard filledByteCount >= byteCountMin else { return }
    do {
      try sink(piece.span.extracting(0..<filledByteCount))
    } catch {
      isOpen = false
      throw .sink(error)
    }
    filledByteCount = 0
  }
}
