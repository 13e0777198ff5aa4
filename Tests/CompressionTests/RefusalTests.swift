import Compression
import Testing

@Suite struct RefusalTests {
  @Test func `refuses more than the limit`() throws {
    let frame = try Zstd.compress(Frames.text(byteCount: 500_000))
    #expect(throws: CompressionError.outputTooLarge(byteCountMax: 499_999)) {
      try Zstd.decompress(frame, outputByteCountMax: 499_999)
    }
  }

  @Test func `hands on nothing beyond the limit of a bomb`() throws {
    var frame = Frames.header(windowLogarithm: 17)
    for _ in 0..<80_000 { frame += Frames.repeatedBlock(0, count: 131_072, isLast: false) }
    frame += Frames.repeatedBlock(0, count: 1, isLast: true)  // 320 kB that stand for 10 GB
    var decompressor = try Decompressor(outputByteCountMax: 1_000_000)
    var byteCount = 0
    #expect(throws: StreamError<Never>.stream(.outputTooLarge(byteCountMax: 1_000_000))) {
      try decompressor.write(frame) { byteCount += $0.count }
    }
    #expect(byteCount <= 1_000_000)
  }

  @Test func `takes the largest window and refuses a larger one`() throws {
    let block = Frames.rawBlock([1, 2, 3], isLast: true)
    let fitting = Frames.header(windowLogarithm: 23) + block
    #expect(try Zstd.decompress(fitting, outputByteCountMax: 3) == [1, 2, 3])
    let tooLarge = Frames.header(windowLogarithm: 24) + block
    #expect(throws: CompressionError.windowTooLarge(byteCountMax: 8 << 20)) {
      try Zstd.decompress(tooLarge, outputByteCountMax: 3)
    }
  }

  @Test(arguments: [1, 3, 4, 5, 17, 2_000])
  func `refuses a frame that ends early`(missingByteCount: Int) throws {
    let frame = try Zstd.compress(Frames.noise(byteCount: 5_000))
    #expect(throws: CompressionError.incomplete) {
      try Zstd.decompress(frame.dropLast(missingByteCount), outputByteCountMax: 5_000)
    }
  }

  @Test func `refuses nothing at all`() {
    #expect(throws: CompressionError.incomplete) {
      try Zstd.decompress([], outputByteCountMax: 5_000)
    }
  }

  @Test func `refuses bytes behind the frame`() throws {
    let frame = try Zstd.compress([1, 2, 3])
    #expect(throws: CompressionError.trailingBytes) {
      try Zstd.decompress(frame + [0], outputByteCountMax: 100)
    }
  }

  @Test func `refuses a second frame that comes later`() throws {
    let frame = try Zstd.compress([1, 2, 3])
    var decompressor = try Decompressor(outputByteCountMax: 100)
    try decompressor.write(frame) { _ in }
    #expect(throws: StreamError<Never>.stream(.trailingBytes)) {
      try decompressor.write(frame) { _ in }
    }
  }

  @Test func `takes an empty input behind the frame`() throws {
    var decompressor = try Decompressor(outputByteCountMax: 100)
    try decompressor.write(Zstd.compress([1, 2, 3])) { _ in }
    try decompressor.write([]) { _ in }
    try decompressor.finish()
  }

  @Test(
    arguments: [
      [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7],  // a skippable frame
      [0x27, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0],  // zstd 0.7
      [0x1f, 0x8b, 0x08, 0x00],  // gzip
      [0x28, 0xb5, 0x2f, 0xfe],
    ] as [[UInt8]])
  func `refuses what is no zstd frame`(bytes: [UInt8]) throws {
    #expect(throws: CompressionError.notZstandard) {
      try Zstd.decompress(bytes, outputByteCountMax: 100)
    }
    var decompressor = try Decompressor(outputByteCountMax: 100)
    #expect(throws: StreamError<Never>.stream(.notZstandard)) {
      for byte in bytes { try decompressor.write([byte]) { _ in } }
    }
  }

  @Test func `refuses a frame that needs a dictionary`() {
    let frame = Frames.magic + [0x01, 0x68, 0x07] + Frames.rawBlock([1], isLast: true)
    #expect(throws: CompressionError.corrupt(reason: "Dictionary mismatch")) {
      try Zstd.decompress(frame, outputByteCountMax: 100)
    }
  }

  @Test func `never crashes on flipped bits and keeps the limit`() throws {
    let content = Frames.text(byteCount: 20_000)
    let frame = try Zstd.compress(content)
    var refused = 0
    for position in 4..<min(frame.count, 1_500) {
      var damaged = frame
      damaged[position] ^= UInt8(1 << (position % 8))
      do {
        let output = try Zstd.decompress(damaged, outputByteCountMax: content.count)
        #expect(output.count <= content.count)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 0)
  }
}
