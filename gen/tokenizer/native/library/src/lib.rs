//! The C functions that github.com/daulet/tokenizers v1.24 declares in tokenizers.h, for tokenizer.json files.

use huggingface::tokenizer::{Encoding, Tokenizer, TruncationDirection, TruncationParams};
use std::ffi::{c_char, c_void, CStr, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

/// The Go package links against the name of the version that it was made for.
#[no_mangle]
pub extern "C" fn tokenizers_version_1_23_0() {}

#[repr(C)]
pub struct Options {
    encode_special_tokens: bool,
}

#[repr(C)]
pub struct EncodeOptions {
    add_special_tokens: bool,
    type_ids: bool,
    tokens: bool,
    special_tokens_mask: bool,
    attention_mask: bool,
    offsets: bool,
}

#[repr(C)]
pub struct Buffer {
    ids: *mut u32,
    type_ids: *mut u32,
    special_tokens_mask: *mut u32,
    attention_mask: *mut u32,
    tokens: *mut *mut c_char,
    offsets: *mut usize,
    len: u32,
}

impl Buffer {
    fn empty() -> Self {
        Buffer {
            ids: ptr::null_mut(),
            type_ids: ptr::null_mut(),
            special_tokens_mask: ptr::null_mut(),
            attention_mask: ptr::null_mut(),
            tokens: ptr::null_mut(),
            offsets: ptr::null_mut(),
            len: 0,
        }
    }
}

/// A C string; a NUL ends it.
fn c_string(text: &str) -> *mut c_char {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).map_or(ptr::null_mut(), CString::into_raw)
}

/// A list that free_list takes back.
fn list<T>(items: Vec<T>) -> *mut T {
    Box::into_raw(items.into_boxed_slice()).cast()
}

unsafe fn free_list<T>(at: *mut T, len: usize) {
    if !at.is_null() {
        drop(Box::from_raw(ptr::slice_from_raw_parts_mut(at, len)));
    }
}

/// Runs a constructor; its error goes to where the caller wants it.
fn open(error: *mut *mut c_char, make: impl FnOnce() -> Result<Tokenizer, String>) -> *mut c_void {
    let made = catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| Err("the tokenizers library panicked".into()));
    match made {
        Ok(tokenizer) => Box::into_raw(Box::new(tokenizer)).cast(),
        Err(text) => {
            if !error.is_null() {
                unsafe { *error = c_string(&text) };
            }
            ptr::null_mut()
        }
    }
}

unsafe fn parse(config: *const u8, len: u32) -> Result<Tokenizer, String> {
    if config.is_null() {
        return Err("no configuration".into());
    }
    Tokenizer::from_bytes(std::slice::from_raw_parts(config, len as usize)).map_err(|e| e.to_string())
}

/// # Safety
/// The pointers are as in tokenizers.h.
#[no_mangle]
pub unsafe extern "C" fn tokenizers_from_bytes(config: *const u8, len: u32, options: *const Options, error: *mut *mut c_char) -> *mut c_void {
    open(error, || {
        let mut tokenizer = parse(config, len)?;
        tokenizer.set_encode_special_tokens(options.as_ref().is_some_and(|o| o.encode_special_tokens));
        Ok(tokenizer)
    })
}

/// # Safety
/// The pointers are as in tokenizers.h.
#[no_mangle]
pub unsafe extern "C" fn tokenizers_from_bytes_with_truncation(config: *const u8, len: u32, max_len: u32, direction: u8, error: *mut *mut c_char) -> *mut c_void {
    open(error, || {
        let direction = match direction {
            0 => TruncationDirection::Left,
            1 => TruncationDirection::Right,
            other => return Err(format!("truncation direction {other}, expected 0 or 1")),
        };
        let mut tokenizer = parse(config, len)?;
        let truncation = TruncationParams { max_length: max_len as usize, direction, ..Default::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|e| e.to_string())?;
        Ok(tokenizer)
    })
}

/// # Safety
/// The pointers are as in tokenizers.h.
#[no_mangle]
pub unsafe extern "C" fn tokenizers_from_file(path: *const c_char, error: *mut *mut c_char) -> *mut c_void {
    open(error, || {
        if path.is_null() {
            return Err("no path".into());
        }
        let path = CStr::from_ptr(path).to_str().map_err(|e| e.to_string())?;
        Tokenizer::from_file(path).map_err(|e| e.to_string())
    })
}

/// Tiktoken files are for another library.
///
/// # Safety
/// The pointers are as in tokenizers.h.
#[no_mangle]
pub unsafe extern "C" fn tokenizers_from_tiktoken(_: *const c_char, _: *const c_char, _: *const c_char, error: *mut *mut c_char) -> *mut c_void {
    open(error, || Err("tiktoken files are not supported by this library, only tokenizer.json".into()))
}

/// # Safety
/// The pointers are as in tokenizers.h.
#[no_mangle]
pub unsafe extern "C" fn tokenizers_encode(tokenizer: *mut c_void, message: *const c_char, options: *const EncodeOptions) -> Buffer {
    let (Some(tokenizer), Some(options)) = (tokenizer.cast::<Tokenizer>().as_ref(), options.as_ref()) else {
        return Buffer::empty();
    };
    if message.is_null() {
        return Buffer::empty();
    }
    let text = CStr::from_ptr(message).to_string_lossy();
    match catch_unwind(AssertUnwindSafe(|| tokenizer.encode(text.as_ref(), options.add_special_tokens))) {
        Ok(Ok(encoding)) => buffer(&encoding, options),
        _ => Buffer::empty(),
    }
}

fn buffer(e: &Encoding, want: &EncodeOptions) -> Buffer {
    let some = |wanted: bool, items: &[u32]| if wanted { list(items.to_vec()) } else { ptr::null_mut() };
    let mut b = Buffer::empty();
    b.len = e.get_ids().len() as u32;
    b.ids = list(e.get_ids().to_vec());
    b.type_ids = some(want.type_ids, e.get_type_ids());
    b.special_tokens_mask = some(want.special_tokens_mask, e.get_special_tokens_mask());
    b.attention_mask = some(want.attention_mask, e.get_attention_mask());
    if want.tokens {
        b.tokens = list(e.get_tokens().iter().map(|t| c_string(t)).collect());
    }
    if want.offsets {
        b.offsets = list(e.get_offsets().iter().flat_map(|&(from, to)| [from, to]).collect());
    }
    b
}

/// # Safety
/// The pointers are as in tokenizers.h.
#[no_mangle]
pub unsafe extern "C" fn tokenizers_decode(tokenizer: *mut c_void, ids: *const u32, len: u32, skip_special_tokens: bool) -> *mut c_char {
    let Some(tokenizer) = tokenizer.cast::<Tokenizer>().as_ref() else {
        return ptr::null_mut();
    };
    if ids.is_null() {
        return ptr::null_mut();
    }
    let ids = std::slice::from_raw_parts(ids, len as usize);
    match catch_unwind(AssertUnwindSafe(|| tokenizer.decode(ids, skip_special_tokens))) {
        Ok(Ok(text)) => c_string(&text),
        _ => ptr::null_mut(),
    }
}

/// # Safety
/// The pointers are as in tokenizers.h.
#[no_mangle]
pub unsafe extern "C" fn tokenizers_vocab_size(tokenizer: *mut c_void) -> u32 {
    tokenizer.cast::<Tokenizer>().as_ref().map_or(0, |t| t.get_vocab_size(true) as u32)
}

/// # Safety
/// The pointer comes from one of the constructors and is not used again.
#[no_mangle]
pub unsafe extern "C" fn tokenizers_free_tokenizer(tokenizer: *mut c_void) {
    if !tokenizer.is_null() {
        drop(Box::from_raw(tokenizer.cast::<Tokenizer>()));
    }
}

/// # Safety
/// The buffer comes from tokenizers_encode and is not used again.
#[no_mangle]
pub unsafe extern "C" fn tokenizers_free_buffer(b: Buffer) {
    let n = b.len as usize;
    for at in [b.ids, b.type_ids, b.special_tokens_mask, b.attention_mask] {
        free_list(at, n);
    }
    free_list(b.offsets, 2 * n);
    if !b.tokens.is_null() {
        for i in 0..n {
            tokenizers_free_string(*b.tokens.add(i));
        }
        free_list(b.tokens, n);
    }
}

/// # Safety
/// The string comes from this library and is not used again.
#[no_mangle]
pub unsafe extern "C" fn tokenizers_free_string(text: *mut c_char) {
    if !text.is_null() {
        drop(CString::from_raw(text));
    }
}
